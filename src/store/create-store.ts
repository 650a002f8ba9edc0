import { storeError } from '../errors.js'
import { isId, type SessionRecord } from '../record/index.js'
import type { Backend, Found, StoreDefinition } from './backend.js'
import { markChecked } from './checked-stores.js'
import { defaultScope, type SessionStore, type StoreScope } from './contract.js'
import { isListed } from './deadline.js'
import { wrongIdError } from './ids.js'
import { OpenCalls } from './open-calls.js'
import { Pruning } from './pruning.js'
import { Records } from './records.js'
import { RecipeError } from './steps.js'

/**
 * Makes a store from the operations of a backend. It checks ids, reads texts strictly, applies deadlines, retries after conflicts, queues the
 * updates of a session inside the process, waits for calls in progress in `close()`, publishes events, and turns every error into a
 * `SessionError`.
 */
export function createStore<Token>(definition: StoreDefinition<Token>): SessionStore {
  const { name } = definition
  const advice = (error: unknown): string | undefined => definition.advice?.(error)
  const calls = new OpenCalls(name)
  const backends: Backend<Token>[] = []
  const prunings: Pruning[] = []
  const closing = new AbortController()
  let closed: Promise<void> | undefined

  async function close(): Promise<void> {
    closing.abort()
    for (const pruning of prunings) pruning.stop()
    await calls.close()
    await Promise.all(backends.map(async (backend) => backend.close?.()))
    await definition.close?.()
  }

  /** Runs one call. It is refused after `close()`, and `close()` waits for it. */
  async function call<T>(action: string, work: () => Promise<T>): Promise<T> {
    calls.begin()
    try {
      return await work()
    } catch (error) {
      throw error instanceof RecipeError ? error.cause : storeError(action, error, advice(error), definition.backendName?.())
    } finally {
      calls.end()
    }
  }

  function inScope(scope: StoreScope): SessionStore {
    const backend = definition.backend(scope, closing.signal)
    backends.push(backend)
    const records = new Records(backend, scope)

    /** The live records of a listing; if an owner is given, only the owner's. */
    async function* listed(list: () => AsyncIterable<Found<Token> & { readonly id: string }>, owner?: string): AsyncGenerator<SessionRecord> {
      calls.assertOpen()
      try {
        for await (const found of list()) {
          const record = await records.parse(found.id, found)
          if (record && isListed(record, scope.now(), owner)) yield record
        }
      } catch (error) {
        throw storeError('list sessions', error, advice(error), definition.backendName?.())
      }
      // A caller must not take a listing that `close()` cut short for a complete one.
      calls.assertOpen()
    }

    /** Runs a call about one session. The first such call starts the pruning. */
    function callAndPrune<T>(id: string, action: string, work: () => Promise<T>): Promise<T> {
      pruning.begin()
      return isId(id) ? call(action, work) : Promise.reject(wrongIdError())
    }

    const store: SessionStore = {
      read: (id) => callAndPrune(id, 'read a session', () => records.readLive(id)),
      create: (id, record) => callAndPrune(id, 'create a session', () => records.create(id, record)),
      update: (id, recipe, seen) => callAndPrune(id, 'save a session', () => records.queue.update(id, recipe, seen)),
      destroy: (id) => callAndPrune(id, 'remove a session', () => records.queue.run(id, (queued) => records.destroy(id, queued))),
      prune: () => call('remove expired sessions', async () => (await backend.prune?.()) ?? 0),
      close: () => (closed ??= close()),
      scope: inScope
    }
    const pruning = new Pruning(backend.prune ? (definition.pruneEvery ?? 0) : 0, () => store.prune!())
    prunings.push(pruning)
    if (definition.start) store.start = () => call('start', async () => definition.start!())
    if (backend.list) store.records = () => listed(() => backend.list!())
    if (backend.ownedBy) store.ownedBy = (owner) => listed(() => backend.ownedBy!(owner), owner)
    markChecked(store, { backendName: () => definition.backendName?.() ?? name, whenSlow: definition.whenSlow, shareReads: () => records.shareReads() })
    return store
  }

  return inScope(defaultScope)
}
