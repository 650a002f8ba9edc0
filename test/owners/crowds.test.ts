import test, { type TestFn } from 'ava'
import { fileStore, memoryStore, type SessionRecord, type SessionStore } from '../../src/index.js'
import { mongoStore } from '../../src/stores/mongo/index.js'
import { createTable, sqlStore } from '../../src/stores/sql/index.js'
import type { Cleanup } from '../support/app.js'
import { all, newRecord, tempDir } from '../support/files.js'
import { connectMongo, needsMongo, startMongo } from '../support/mongo.js'
import { engines, needsEngine } from '../support/sql.js'

// Redis has this test in test/stores/redis/owners.test.ts, with both drivers.
crowds(test, 'memory', async () => memoryStore())
crowds(test, 'files', async (t) => fileStore({ dir: tempDir(t), threshold: 0 }))
crowds(needsMongo(test), 'MongoDB', async (t) => {
  const patient = { serverSelectionTimeoutMS: 60_000, connectTimeoutMS: 60_000 }
  return mongoStore({ client: connectMongo(t, (await startMongo(t)).url, patient), database: 'keepsake' })
})
for (const engine of engines) {
  crowds(needsEngine(test, engine), engine.name, async (t) => {
    const database = await engine.start()
    t.teardown(() => database.stop())
    const knex = database.connect()
    await createTable({ knex })
    return sqlStore({ knex, timeout: 60_000 })
  })
}

function crowds(crowdTest: TestFn, name: string, open: (t: Cleanup) => Promise<SessionStore>): void {
  crowdTest.serial(`${name}: ten thousand owners with a session each, and one owner with ten thousand, are each listed whole`, async (t) => {
    const store = await open(t)
    const many = 10_000
    const crowd = Array.from({ length: many }, (_, at) => recordOf(`owner ${at}`))
    const own = Array.from({ length: many }, () => recordOf('momo'))
    await inPages([...crowd, ...own], (record) => store.create(record.id, record))
    const listed = await all(store.ownedBy!('momo'))
    t.is(listed.length, many)
    const ids = new Set(listed.map(({ id }) => id))
    t.true(own.every(({ id }) => ids.has(id)))
    for (let at = 0; at < many; at += 499) t.deepEqual(await all(store.ownedBy!(`owner ${at}`)), [crowd[at]!])
    await inPages(own.slice(0, 200), ({ id }) => store.destroy(id))
    t.is((await all(store.ownedBy!('momo'))).length, many - 200)
    await store.close!()
  })
}

function recordOf(owner: string): SessionRecord {
  return newRecord({}, 3_600_000, { owner })
}

async function inPages(records: readonly SessionRecord[], work: (record: SessionRecord) => unknown): Promise<void> {
  for (let at = 0; at < records.length; at += 500) await Promise.all(records.slice(at, at + 500).map(work))
}
