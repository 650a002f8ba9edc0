import type { MaybePromise, SessionRecord, SessionStore } from '../../src/index.js'

export type Method = 'read' | 'create' | 'update' | 'destroy'

export interface Call {
  method: Method
  id: string
}

/** What happens to a store call instead of the call itself; `undefined` lets it through. */
export type Fault = (call: Call, number: number) => Promise<never> | undefined

/** A store that tells which calls came and can be made to fail. */
export interface WatchedStore extends SessionStore {
  /** Every call so far, in order. */
  calls: Call[]
  /** The methods called so far, as words: `read update`. */
  readonly said: string
  /** Decides over each call from now on; `number` counts from 1 since this was set. */
  fault: Fault | undefined
  /** The session that is stored under the id, without being watched. A marker is none. */
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

  // Not async: a fault may throw where a promise is due, as a careless store does.
  function run<T>(call: Call, go: () => MaybePromise<T>): MaybePromise<T> {
    watched.calls.push(call)
    number++
    return fault?.(call, number) ?? go()
  }
}
