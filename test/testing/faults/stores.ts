import type { SessionRecord } from '../../../src/store/index.js'
import { memoryStore } from '../../../src/stores/memory/index.js'
import { memory, texts, type Fault } from './faulty-store.js'

export const storeFaults: readonly Fault[] = [
  ['two scopes of one backend', 'scopes share their records', (scope) => {
    const store = memoryStore().scope!(scope)
    return { ...store, scope: () => store }
  }],
  ['lists every live record once', 'a listing repeats records', memory((store) => ({
    async *records() {
      yield* store.records!()
      yield* store.records!()
    }
  }))],
  ['does not miss a record', 'a listing misses records that are rewritten', memory((store) => ({
    async *records() {
      const revisions = new Map<string, number>()
      for await (const { id, rev } of store.records!()) revisions.set(id, rev)
      for await (const record of store.records!()) if (revisions.get(record.id) === record.rev) yield record
    }
  }))],
  ['prune() removes nothing', 'prune() removes live records', memory((store) => ({
    async prune() {
      let removed = 0
      for await (const { id } of store.records!()) if (await store.destroy(id)) removed++
      return removed
    }
  }))],
  ['prune() removes nothing', 'prune() removes what an update can find', memory((store, scope) => {
    const all: SessionRecord[] = []
    return {
      create: (id, record) => all.push(record) > 0 && store.create(id, record),
      async prune() {
        let removed = 0
        for (const { id, expires } of all) if (scope.now() >= expires && (await store.destroy(id))) removed++
        return removed
      }
    }
  })],
  ['a closed store', 'closing does nothing', memory(() => ({ close: async () => undefined }))],
  ['a closed store', 'a closed store throws another error', memory((store) => {
    let isClosed = false
    return {
      read(id) {
        if (isClosed) throw new Error('closed')
        return store.read(id)
      },
      async close() {
        isClosed = true
        await store.close!()
      }
    }
  })],
  ['close() waits', 'closing does not wait', texts({}, () => ({ close: async () => undefined }))]
]
