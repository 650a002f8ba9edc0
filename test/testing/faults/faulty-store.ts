import type { SessionRecord, SessionStore, StoreScope } from '../../../src/store/index.js'
import { memoryStore } from '../../../src/stores/memory/index.js'
import type { StoreWithTexts } from '../../../src/testing/fixture.js'
import { TextDatabase, type TextBackendOptions } from '../../store/text-backend.js'

/** Words from the title of a case, the fault that it has to find, and a store that has the fault. */
export type Fault = readonly [words: string, fault: string, make: (scope: StoreScope) => SessionStore | StoreWithTexts]

/** The memory store with some methods replaced. */
export function memory(change: (store: SessionStore, scope: StoreScope) => Partial<SessionStore>): Fault[2] {
  return (scope) => {
    const store = memoryStore().scope!(scope)
    return { ...withoutScope(store), ...change(store, scope) }
  }
}

/** A store without `scope`: another scope would not have the fault. */
function withoutScope(store: SessionStore): SessionStore {
  const copy = { ...store }
  delete copy.scope
  return copy
}

/** The kit's store on a database of texts with a fault, or with some methods replaced. */
export function texts(options: TextBackendOptions, change: (store: SessionStore, database: TextDatabase, scope: StoreScope) => Partial<SessionStore> = () => ({})): Fault[2] {
  return (scope) => {
    const database = new TextDatabase(options)
    const store = database.store().scope!(scope)
    return {
      store: { ...withoutScope(store), ...change(store, database, scope) },
      put: (id, text) => database.put(scope, id, text),
      get: (id) => database.text(scope, id)
    }
  }
}

export async function* filtered(records: AsyncIterable<SessionRecord>, isListed: (record: SessionRecord) => boolean): AsyncGenerator<SessionRecord> {
  for await (const record of records) if (isListed(record)) yield record
}
