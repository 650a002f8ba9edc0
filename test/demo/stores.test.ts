import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createApp } from '../../demo/app.js'
import { readConfig, type Environment } from '../../demo/config.js'
import { openStorage } from '../../demo/storage.js'
import { startApp } from '../support/app.js'
import { Guest, makeDirectory } from '../support/demo.js'
import { needsMemcached, startMemcached } from '../support/memcached.js'
import { needsMongo, patientUrl, startMongo } from '../support/mongo.js'

/** The demo in this process, as these variables configure it. Somebody logs in, counts, looks at the record and logs out. */
async function visit(t: ExecutionContext, env: Environment): Promise<void> {
  const { options } = readConfig({ SECRET_KEY: 'x'.repeat(43), ...env })
  const storage = await openStorage(env, options)
  t.teardown(() => storage.close())
  const guest = new Guest(await startApp(t, createApp({ options, storage })))
  await guest.login({ remember: 'yes' })
  await guest.send('/count')
  t.is(await guest.count(), 1)
  const { text } = await guest.get('/session')
  t.regex(text.replace(/<[^>]+>/g, '').replaceAll('&quot;', '"'), /"visits": 1/)
  t.is((await guest.get('/race')).status, 200)
  await guest.send('/logout')
  t.is(await guest.count(), undefined)
  t.true((await guest.get('/session')).text.includes('There is none'))
}

// scrypt fills the thread pool, in which other calls would wait: one after the other.
const storeTest = test.serial

storeTest('a visit to the demo with sessions in memory', (t) => visit(t, { SESSION_TYPE: 'memory' }))

storeTest('a visit to the demo with sessions in the cookie', (t) => visit(t, { SESSION_TYPE: 'null', SESSION_USE_SIGNER: 'false', SESSION_KEY_PREFIX: 'demo:' }))

storeTest('a visit to the demo with sessions in SQLite', async (t) => {
  const file = join(await makeDirectory(t), 'demo.db')
  await visit(t, { SESSION_TYPE: 'sqlalchemy', SESSION_SQLALCHEMY: `sqlite:///${file}`, SESSION_SQLALCHEMY_TABLE: 'visits' })
})

needsMemcached(test).serial('a visit to the demo with sessions in memcached', async (t) => {
  const { address } = await startMemcached(t)
  await visit(t, { SESSION_TYPE: 'memcached', SESSION_MEMCACHED: address })
})

needsMongo(test).serial('a visit to the demo with sessions in MongoDB', async (t) => {
  const { url } = await startMongo(t)
  await visit(t, { SESSION_TYPE: 'mongodb', SESSION_MONGODB: patientUrl(url), SESSION_MONGODB_DB: 'demo', SESSION_MONGODB_COLLECT: 'visits' })
})
