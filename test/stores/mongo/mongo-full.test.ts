import { randomBytes } from 'node:crypto'
import test from 'ava'
import type { SessionRecord } from '../../../src/store/index.js'
import { connectMongo, needsMongo, startMongo } from '../../support/mongo.js'
import { openScope } from '../../support/mongo-scope.js'
import { setting } from '../../support/recipes.js'
import { until } from '../../support/redis.js'

// This server ends its storage with the first write that fails. MongoDB itself goes on, so the advice for its error is in mongo-failures.test.ts.
needsMongo(test)('a MongoDB that cannot write refuses saves, and after a restart every session is whole and people can log out', async (t) => {
  const server = await startMongo(t)
  const { store, newRecord } = openScope(connectMongo(t, server.url))
  const session = () => newRecord({ text: randomBytes(100_000).toString('base64') })
  const kept: SessionRecord[] = []
  const failed = { name: 'SessionError', code: 'ERR_SESSION_STORE', status: 503 }
  const first = session()
  await store.create(first.id, first)
  server.limitFiles(5 * 1024 * 1024)
  let error: unknown
  while (error === undefined && kept.length < 1000) {
    const record = session()
    try {
      await store.create(record.id, record)
      kept.push(record)
    } catch (thrown) {
      error = thrown
    }
  }
  t.like(error, failed)
  t.true(kept.length > 5)
  await t.throwsAsync(() => store.update(first.id, setting('a', 1)), { name: 'SessionError', code: 'ERR_SESSION_STORE' })
  await server.kill()
  await server.start()
  await until('MongoDB answers again', async () => (await store.read(first.id)) !== undefined)
  for (const record of [first, ...kept]) t.deepEqual(await store.read(record.id), record)
  t.deepEqual(await store.destroy(first.id), first)
  t.is(await store.read(first.id), undefined)
  t.truthy(await store.update(kept[0]!.id, setting('a', 1)))
})
