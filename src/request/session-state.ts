import type { SessionError } from '../errors.js'
import type { SessionRecord } from '../record/index.js'

/** What the session of a request is now. Each change of state makes a new object. */
export type SessionState =
  /** Nothing is stored. */
  | { readonly kind: 'new' }
  | StoredState
  /** Somebody else ended the session while this request was in progress: nothing of it may come back. */
  | { readonly kind: 'gone' }
  /** Another request gave the session a new sid. */
  | { readonly kind: 'moved' }
  /** The store could not be read, and `onStoreError` is `'anonymous'`. */
  | { readonly kind: 'read-only'; readonly error: SessionError }

export interface StoredState {
  readonly kind: 'stored'
  readonly sid: string
  readonly record: SessionRecord
  /** The cookie was signed by an older key, or has to be sent again for another reason. */
  readonly reissue: boolean
  /** Why this sid could not be replaced. Nothing may be saved under it any more. */
  readonly failure?: unknown
}
