import type { MaybePromise, SessionStore, StoreScope } from '../../../src/store/index.js'

/** A store that goes on with a new client after a failure from which the driver may not recover. Calls that the old one began may still end. */
export function reopening(open: () => SessionStore, isLost: (error: unknown) => boolean): SessionStore {
  let opened = open()

  function goOn(failed: SessionStore, error: unknown): never {
    if (failed === opened && isLost(error)) {
      opened = open()
      void Promise.resolve(failed.close?.()).catch(() => undefined)
    }
    throw error
  }

  function inScope(scope?: StoreScope): SessionStore {
    let known: { readonly opened: SessionStore; readonly scoped: SessionStore } | undefined
    const current = (): SessionStore => {
      if (known?.opened !== opened) known = { opened, scoped: scope ? opened.scope!(scope) : opened }
      return known.scoped
    }
    async function call<T>(work: (store: SessionStore) => MaybePromise<T>): Promise<T> {
      const used = opened
      try {
        return await work(current())
      } catch (error) {
        return goOn(used, error)
      }
    }
    async function* list<T>(work: (store: SessionStore) => AsyncIterable<T>): AsyncGenerator<T> {
      const used = opened
      try {
        yield* work(current())
      } catch (error) {
        goOn(used, error)
      }
    }
    return {
      read: (id) => call((store) => store.read(id)),
      create: (id, record) => call((store) => store.create(id, record)),
      update: (id, recipe, seen) => call((store) => store.update(id, recipe, seen)),
      destroy: (id) => call((store) => store.destroy(id)),
      records: () => list((store) => store.records!()),
      ownedBy: (owner) => list((store) => store.ownedBy!(owner)),
      close: async () => opened.close?.(),
      scope: inScope
    }
  }

  return inScope()
}
