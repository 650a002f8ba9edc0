import type { MaybePromise, SessionRecord, SessionStore } from '../../src/index.js'

export type Method = 'read' | 'create' | 'update' | 'destroy'

export interface Call {
  method: Method
  id: string
}

/** Replaces a store call. `undefined`: the call is made. */
export type Fault = (call: Call, number: number) => Promise<never> | undefined

/** A store that records its calls and can be made to fail. */
export interface WatchedStore extends SessionStore {
  /** Every call so far, in order. */
  calls: Call[]
  /** The methods called so far, as words: `read update`. */
  readonly said: string
  /** Called for each store call from now on. `number` counts from 1 since this was set. */
  fault: Fault | undefined
  /** Reads the session of an id without recording the call. `undefined` for a marker. */
  peek(id: string): Promise<SessionRecord | undefined>
}

export function watchStore(inner: SessionStore): WatchedStore {
  let scoped = inner
  let fault: Fault | undefined
  let number = 0
  const watched: WatchedStore = {
    calls: [],
    get said() {
      return watched.calls.map(({ method }) => method).join(' ')
    },
    get fault() {
      return fault
    },
    set fault(next) {
      fault = next
      number = 0
    },
    async peek(id) {
      const record = await scoped.read(id)
      return record?.moved ? undefined : record
    },
    read: (id) => run({ method: 'read', id }, () => scoped.read(id)),
    create: (id, record) => run({ method: 'create', id }, () => scoped.create(id, record)),
    update: (id, recipe, seen) => run({ method: 'update', id }, () => scoped.update(id, recipe, seen)),
    destroy: (id) => run({ method: 'destroy', id }, () => scoped.destroy(id)),
    ...(inner.ownedBy && { ownedBy: (owner: string) => scoped.ownedBy!(owner) }),
    scope(scope) {
      scoped = inner.scope?.(scope) ?? inner
      return watched
    }
  }
  return watched

  // Not async: a fault may throw instead of returning a promise, as a careless store does.
  function run<T>(call: Call, go: () => MaybePromise<T>): MaybePromise<T> {
    watched.calls.push(call)
    number++
    return fault?.(call, number) ?? go()
  }
}
