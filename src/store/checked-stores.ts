import type { SessionStore } from './contract.js'

/** The functions and facts that the middleware uses of a store which checks its records itself. */
interface CheckedStore {
  /** Names the backend in an error about a slow call. */
  backendName(): string
  /** Advice for an operator. Absent: the error advises to look at the backend. */
  readonly whenSlow?: string | undefined
  /** Lets reads of an unchanged record return the same object. */
  shareReads?(): void
}

/** Stores that check their records themselves, so that a second check would be wasted. */
export const checkedStores = new WeakMap<SessionStore, CheckedStore | undefined>()

/** Declares that a store returns only records that it has checked. */
export function markChecked(store: SessionStore, checked?: CheckedStore): void {
  checkedStores.set(store, checked)
}
