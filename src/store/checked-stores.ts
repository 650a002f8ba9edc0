import type { SessionStore } from './contract.js'

/** The facts about a backend that an error about a slow call shows. */
interface BackendFacts {
  backendName(): string
  /** Advice for an operator. Absent: the error advises to look at the backend. */
  readonly whenSlow?: string | undefined
}

/** Stores that check their records themselves, so that a second check would be wasted, and the facts about their backends. */
export const checkedStores = new WeakMap<SessionStore, BackendFacts | undefined>()

/** Declares that a store returns only records that it has checked. */
export function markChecked(store: SessionStore, backend?: BackendFacts): void {
  checkedStores.set(store, backend)
}
