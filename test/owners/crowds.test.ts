import test, { type TestFn } from 'ava'
import { memoryStore, type SessionRecord, type SessionStore } from '../../src/index.js'
import { mongoStore } from '../../src/stores/mongo/index.js'
import { createTable, sqlStore } from '../../src/stores/sql/index.js'
import type { Cleanup } from '../support/app.js'
import { all, newRecord } from '../support/files.js'
import { connectMongo, needsMongo, ownServer, startMongo, temporaryDatabase } from '../support/mongo.js'
import { engines, needsEngine } from '../support/sql.js'

const many = 10_000

// Files have this test in test/stores/file/owner-index.test.ts, and Redis in test/stores/redis/owners.test.ts.
crowds(test, 'memory', async () => memoryStore())
// A write to this server's index takes as long as the owner has sessions. MongoDB's own does not.
crowds(needsMongo(test), 'MongoDB', async (t) => openMongo(t, (await startMongo(t)).url), 500)
if (ownServer !== undefined) crowds(test, 'the MongoDB of MONGODB_URI', async (t) => openMongo(t, ownServer!))
for (const engine of engines) {
  crowds(needsEngine(test, engine), engine.name, async (t) => {
    const database = await engine.start()
    t.teardown(() => database.stop())
    const knex = database.connect()
    await createTable({ knex })
    return sqlStore({ knex, timeout: 60_000 })
  })
}

function crowds(crowdTest: TestFn, name: string, open: (t: Cleanup) => Promise<SessionStore>, ofOne = many): void {
  crowdTest.serial(`${name}: ${many} owners with a session each, and one owner with ${ofOne}, are each listed whole`, async (t) => {
    const store = await open(t)
    const crowd = Array.from({ length: many }, (_, at) => recordOf(`owner ${at}`))
    const own = Array.from({ length: ofOne }, () => recordOf('momo'))
    await inPages([...crowd, ...own], (record) => store.create(record.id, record))
    const listed = await all(store.ownedBy!('momo'))
    t.is(listed.length, ofOne)
    const ids = new Set(listed.map(({ id }) => id))
    t.true(own.every(({ id }) => ids.has(id)))
    for (let at = 0; at < many; at += 499) t.deepEqual(await all(store.ownedBy!(`owner ${at}`)), [crowd[at]!])
    await inPages(own.slice(0, 200), ({ id }) => store.destroy(id))
    t.is((await all(store.ownedBy!('momo'))).length, ofOne - 200)
    await store.close!()
  })
}

function openMongo(t: Cleanup, url: string): SessionStore {
  const client = connectMongo(t, url)
  return mongoStore({ client, database: temporaryDatabase(t, client) })
}

function recordOf(owner: string): SessionRecord {
  return newRecord({}, 3_600_000, { owner })
}

async function inPages(records: readonly SessionRecord[], work: (record: SessionRecord) => unknown): Promise<void> {
  for (let at = 0; at < records.length; at += 500) await Promise.all(records.slice(at, at + 500).map(work))
}
