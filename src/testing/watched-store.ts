import { isPromise, type MaybePromise, type Recipe, type SessionRecord, type SessionStore } from '../store/index.js'

/**
 * Wraps a store for the cases. Every method returns a promise, even if the store returns a value or throws, and every record is frozen on its
 * way in and out, so that code which changes one throws.
 */
export interface WatchedStore {
  read(id: string): Promise<SessionRecord | undefined>
  create(id: string, record: SessionRecord): Promise<boolean>
  update(id: string, recipe: Recipe, seen?: SessionRecord): Promise<SessionRecord | null | undefined>
  destroy(id: string): Promise<SessionRecord | undefined>
  records?(): AsyncIterable<SessionRecord>
  ownedBy?(owner: string): AsyncIterable<SessionRecord>
  prune?(): Promise<number>
  close?(): Promise<void>
}

export function watchStore(store: SessionStore): WatchedStore {
  const watched: WatchedStore = {
    read: async (id) => frozen(store.read(id)),
    create: async (id, record) => store.create(id, freeze(record)),
    update: async (id, recipe, seen) => frozen(store.update(id, (current) => freeze(recipe(freeze(current))), seen)),
    destroy: async (id) => frozen(store.destroy(id))
  }
  // A method that the store lacks is absent here too, so that cases can skip it.
  if (store.records) watched.records = () => frozenAll(store.records!())
  if (store.ownedBy) watched.ownedBy = (owner) => frozenAll(store.ownedBy!(owner))
  if (store.prune) watched.prune = async () => store.prune!()
  if (store.close) watched.close = async () => store.close!()
  return watched
}

/** Freezes an answer at the moment when the store returns it. */
function frozen<T>(answer: MaybePromise<T>): MaybePromise<T> {
  return isPromise(answer) ? answer.then(freeze) : freeze(answer)
}

async function* frozenAll(records: AsyncIterable<SessionRecord>): AsyncGenerator<SessionRecord> {
  for await (const record of records) yield freeze(record)
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const inner of Object.values(value)) freeze(inner)
  return value
}
