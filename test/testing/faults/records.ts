import type { SessionRecord } from '../../../src/store/index.js'
import { memoryStore } from '../../../src/stores/memory/index.js'
import { memory, type Fault } from './faulty-store.js'

export const recordFaults: readonly Fault[] = [
  ['read back equal', 'a read changes a field', memory((store) => ({
    async read(id) {
      const found = await store.read(id)
      return found && { ...found, permanent: true }
    }
  }))],
  ['an id without a record', 'an update makes a record where there is none', memory((store, scope) => ({
    async update(id, recipe, seen) {
      const written = await store.update(id, recipe, seen)
      if (written === undefined) await store.create(id, { rev: 1, write: 'w', id, created: 0, used: 0, expires: scope.now() + 1000, permanent: false, data: {} })
      return written
    }
  }))],
  ['an id without a record', 'a missing record is an error', memory((store) => ({
    async read(id) {
      const found = await store.read(id)
      if (!found) throw new Error('not found')
      return found
    }
  }))],
  ['anything but 64', 'any id is taken', (scope) => {
    const records = new Map<string, SessionRecord>()
    const store = memoryStore().scope!(scope)
    return { ...store, read: (id) => records.get(id) }
  }],
  ['a new record has revision 1', 'the revision of a new record is kept', (scope) => {
    const store = memoryStore().scope!(scope)
    return { ...store, create: (id, record) => store.create(id, record), read: async (id) => (await store.read(id)) && { ...(await store.read(id))!, rev: 7 } }
  }],
  ['an id that is taken', 'a creation overwrites', memory((store) => ({
    async create(id, record) {
      await store.destroy(id)
      return store.create(id, record)
    }
  }))],
  ['every write of every store', 'a write keeps the write value', memory((store) => ({
    async update(id, recipe, seen) {
      const written = await store.update(id, recipe, seen)
      return written && { ...written, write: 'always' }
    }
  }))],
  ['a recipe that throws', 'an error of a recipe is wrapped', memory((store) => ({
    async update(id, recipe, seen) {
      try {
        return await store.update(id, recipe, seen)
      } catch (cause) {
        throw new Error('failed', { cause })
      }
    }
  }))],
  ['that was read stays as it was', 'an update changes the record in place', (scope) => {
    const records = new Map<string, SessionRecord>()
    return {
      read: (id) => records.get(id),
      create: (id, record) => records.set(id, record).has(id),
      update(id, recipe) {
        const current = records.get(id)
        const made = current && recipe(current)
        if (!current || !made) return made
        return Object.assign(current, made, { rev: current.rev + 1, write: String(Math.random() * scope.now()) })
      },
      destroy: (id) => {
        const last = records.get(id)
        records.delete(id)
        return last
      }
    }
  }],
  ['read back equal', 'a creation changes the record that it is given', memory((store) => ({
    create: (id, record) => store.create(id, Object.assign(record, { rev: 1 }))
  }))],
  ['fields that this version', 'fields that are not known are lost', memory((store) => ({
    create(id, { rev, write, created, used, expires, permanent, data }) {
      return store.create(id, { rev, write, id, created, used, expires, permanent, data })
    }
  }))],
  ["a copy of another store's record", 'an update loses fields that are not known', memory((store) => ({
    update(id, recipe, seen) {
      return store.update(id, (current) => {
        const made = recipe(current)
        if (!made) return null
        const { rev, write, created, used, expires, permanent, data } = made
        return { rev, write, id, created, used, expires, permanent, data }
      }, seen)
    }
  }))],
  ['any string is a key', 'a key is lost', memory((store) => ({
    create: (id, record) => store.create(id, { ...record, data: Object.fromEntries(Object.entries(record.data).filter(([key]) => key !== '__proto__')) })
  }))],
  ['large and non-ASCII', 'a long text is cut', memory((store) => ({
    create: (id, record) => store.create(id, JSON.parse(JSON.stringify(record, (_, value: unknown) => (typeof value === 'string' ? value.slice(0, 65_535) : value))) as SessionRecord)
  }))]
]
