import { readRecord } from '../../../src/record/index.js'
import { isGone } from '../../../src/store/index.js'
import { memoryStore } from '../../../src/stores/memory/index.js'
import { memory, texts, type Fault } from './faulty-store.js'

export const deadlineFaults: readonly Fault[] = [
  ['is read until its deadline', 'deadlines are ignored', (scope) => {
    const start = scope.now()
    return memoryStore().scope!({ ...scope, now: () => start })
  }],
  ['for a minute after its deadline', 'updates find live records only', memory((store, scope) => ({
    async update(id, recipe, seen) {
      let isLate = false
      const recipeInTime: typeof recipe = (current) => {
        isLate = scope.now() >= current.expires
        return isLate ? current : recipe(current)
      }
      const written = await store.update(id, recipeInTime, seen)
      return isLate ? undefined : written
    }
  }))],
  ['a minute after its deadline a record is gone', 'updates find records for two minutes', (scope) => {
    const late = memoryStore().scope!({ ...scope, now: () => scope.now() - 60_000 })
    return { ...late, read: async (id) => (await late.read(id)) && undefined, update: (id, recipe, seen) => late.update(id, recipe, seen) }
  }],
  ['is free again', 'an id is never free again', memory((store) => {
    const taken = new Set<string>()
    return { create: (id, record) => !taken.has(id) && taken.add(id).has(id) && store.create(id, record) }
  })],
  ['a deadline that an update moved', 'the deadline of the creation counts', memory((store, scope) => {
    const ends = new Map<string, number>()
    return {
      create: (id, record) => ends.set(id, record.expires) && store.create(id, record),
      read: (id) => (scope.now() < (ends.get(id) ?? 0) ? store.read(id) : undefined)
    }
  })],
  ['a marker of a session', 'markers are listed', texts({}, (_, database, scope) => ({
    async *records() {
      for await (const { text, id } of database.backend(scope).list!()) {
        const reading = readRecord(text, id)
        if ('record' in reading && !isGone(reading.record, scope.now())) yield reading.record
      }
    }
  }))],
  ['a marker of a session', 'markers cannot be read', memory((store) => ({
    async read(id) {
      const found = await store.read(id)
      return found?.moved ? undefined : found
    }
  }))]
]
