import { memory, texts, type Fault } from './faulty-store.js'

export const raceFaults: readonly Fault[] = [
  ['parallel counting', 'an update reads and then writes', memory((store) => ({
    async update(id, recipe) {
      const current = await store.read(id)
      const next = current && recipe(current)
      return store.update(id, next ? () => next : recipe)
    }
  }))],
  ['seen is stale', 'an update trusts the record that was seen', memory((store) => ({
    update: (id, recipe, seen) => store.update(id, seen ? () => recipe(seen) : recipe)
  }))],
  ['but from another write', 'only revisions are compared', texts({ comparesRevisionsOnly: true })],
  ['exactly one is stored', 'two parallel creations both succeed', memory((store) => ({
    async create(id, record) {
      const isTaken = await store.read(id)
      await Promise.resolve()
      if (isTaken) return false
      void store.destroy(id)
      return store.create(id, record)
    }
  }))],
  ['very last state', 'destroying reads and then removes', memory((store) => ({
    async destroy(id) {
      const last = await store.read(id)
      await store.destroy(id)
      return last
    }
  }))],
  ['parallel removals by recipe', 'both removals say that they removed', memory((store) => ({
    update: async (id, recipe, seen) => (await store.update(id, recipe, seen)) ?? null
  }))]
]
