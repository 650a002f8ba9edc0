import type { SessionError } from '../errors.js'
import type { SessionRecord } from '../record/index.js'

/** The state of a request's session. Each change of state makes a new object. */
export type SessionState =
  /** Nothing is stored. */
  | { readonly kind: 'new'; readonly failure?: unknown }
  | StoredState
  /** Another request ended the session while this one was in progress, so nothing of it may be stored again. */
  | { readonly kind: 'gone' }
  /** Another request gave the session a new sid. */
  | { readonly kind: 'moved' }
  /** The store could not be read, and `onStoreError` is `'anonymous'`. */
  | { readonly kind: 'read-only'; readonly error: SessionError }

export interface StoredState {
  readonly kind: 'stored'
  readonly sid: string
  /** The record as the request uses it, with its data. */
  readonly record: SessionRecord
  /** The record as the store returned or received it: sealed, or the same object. */
  readonly atRest: SessionRecord
  /** The cookie was signed by an older key, or has to be sent again for another reason. */
  readonly reissue: boolean
  /** The error with which replacing the sid failed. Nothing may be saved under this sid any more. */
  readonly failure?: unknown
}
