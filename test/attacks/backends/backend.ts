import type { TestFn } from 'ava'
import type { CookieStore, SessionStore } from '../../../src/index.js'
import type { Cleanup } from '../../support/app.js'

/** A way to keep sessions, as the attacks use it. */
export interface Backend {
  readonly name: string
  /** AVA's `test`, or what skips where the server is missing. */
  readonly needs: (test: TestFn) => TestFn
  readonly start: (t: Cleanup) => Promise<Opened>
}

/** A backend that was started. */
export interface Opened {
  /** Makes another store object over the backend. */
  readonly store: () => SessionStore | CookieStore
  /** Absent: the sessions are not on a server, or only in the store object itself. */
  readonly texts?: Texts
  /** Makes the backend refuse every write, with an error of its own. What it answers makes the backend accept them again. */
  readonly refuseWrites?: () => Promise<() => Promise<unknown>>
  /** Makes the backend fail for every call. What it answers makes it work again. */
  readonly breakDown?: () => Promise<() => Promise<unknown>>
}

/** What the backend holds, behind the store's back. */
export interface Texts {
  put(prefix: string, id: string, text: string): Promise<unknown>
  /** Writes into the index of owners that a session is an owner's. Absent: there is no index. */
  readonly claim?: (prefix: string, id: string, owner: string) => Promise<unknown>
  /** Everything that is stored, as one text: names, keys and values. */
  dump(): Promise<string>
  /** What can stand in the place of a record's text and is no text. */
  readonly odd?: readonly (readonly [what: string, put: (prefix: string, id: string) => Promise<unknown>])[]
}
