import { readRecord } from '../../../src/record/index.js'
import type { SessionRecord } from '../../../src/store/index.js'
import { TextDatabase } from '../../store/text-backend.js'
import { texts, type Fault } from './faulty-store.js'

/** A store whose read has a fault instead of reading strictly. */
function readBy(read: (text: string | undefined, id: string) => unknown): Fault[2] {
  return texts({}, (_, database, scope) => ({ read: (id) => read(database.text(scope, id), id) as SessionRecord | undefined }))
}

export const corruptFaults: readonly Fault[] = [
  ['a text that is not a record', 'any JSON is a record', readBy((text) => (text?.startsWith('{"') ? (JSON.parse(text) as unknown) : undefined))],
  ['a text that is not a record', 'a corrupt text is an error', readBy((text) => text && (JSON.parse(text) as unknown))],
  ['a text that is not a record', 'a corrupt text is not reported', readBy((text, id) => {
    const result = readRecord(text ?? '', id)
    return 'record' in result ? result.record : undefined
  })],
  ['a text that is not a record', 'a corrupt text is deleted', texts({}, (store, database, scope) => ({
    async read(id) {
      const found = await store.read(id)
      if (!found) database.entries.delete(scope.prefix + id)
      return found
    }
  }))],
  ['a text that is not a record', 'a corrupt text is overwritten', texts({}, (store, database, scope) => ({
    async create(id, record) {
      if (!(await store.read(id))) database.entries.delete(scope.prefix + id)
      return store.create(id, record)
    }
  }))],
  ['never returned for another id', 'the id of a record is not looked at', texts({}, (store, database, scope) => ({
    async read(id) {
      const text = database.text(scope, id)
      const inner = text && /"id":"([0-9a-f]{64})"/.exec(text)?.[1]
      return inner && inner !== id ? store.read(inner) : store.read(id)
    }
  }))],
  ['a byte more is corrupt', 'the size of a text does not matter', (scope) => {
    const database = new TextDatabase()
    return { store: database.store().scope!({ ...scope, largest: Infinity }), put: (id, text) => database.put(scope, id, text) }
  }],
  ['a byte more is corrupt', 'characters are counted, not bytes', texts({}, (store, database, scope) => ({
    read: (id) => {
      const text = database.text(scope, id)
      const result = text && text.length <= scope.largest ? readRecord(text, id) : undefined
      return result && 'record' in result ? result.record : store.read(id)
    }
  }))],
  ['of a newer format', 'a record of a newer format counts as missing', texts({}, (store) => ({
    read: async (id) => {
      try {
        return await store.read(id)
      } catch {
        return undefined
      }
    }
  }))]
]
