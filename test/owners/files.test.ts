import fs from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import Koa from 'koa'
import { fileStore, session } from '../../src/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { all, create, newRecord, openStore, tempDir, through, type Gate } from '../support/files.js'
import { routesOf, secret } from '../support/story.js'

const owner = 'momo/../../momo*'
const login = `/login?user=${encodeURIComponent(owner)}`

/** Every file below the directory of the index. */
function entriesIn(dir: string): string[] {
  const owners = path.join(dir, 'owners')
  return fs.existsSync(owners) ? fs.readdirSync(owners).flatMap((each) => fs.readdirSync(path.join(owners, each))) : []
}

test('a login makes an entry in the index, and a read of a session with an owner looks at its own file only', async (t) => {
  const { dir, browser, callsOf } = await start(t)
  const [visitor, user] = [browser(), browser()]
  for (const each of [visitor, user]) await each.get('/set')
  const regenerated = await callsOf(visitor, '/regenerate')
  const loggedIn = await callsOf(user, login)
  t.deepEqual(regenerated.filter((call) => call.includes('owners')), [])
  // The directories are made by the first session of an owner.
  const ofIndex = loggedIn.filter((call) => call.includes('owners'))
  t.true(ofIndex.length <= 4, ofIndex.join('\n'))
  t.true(loggedIn.length <= regenerated.length + 6, `${loggedIn.length} instead of ${regenerated.length}`)
  t.is(entriesIn(dir).length, 1)
  t.deepEqual(namesOf(await callsOf(user, '/')), namesOf(await callsOf(visitor, '/')))
})

test('no path shows an owner', async (t) => {
  const { dir, browser, callsOf, sessions } = await start(t)
  const user = browser()
  const calls: string[] = []
  for (const url of [login, '/regenerate', '/set', login, '/logout']) calls.push(...(await callsOf(user, url)))
  const left = browser()
  await left.get(login)
  t.is((await all(sessions.ownedBy(owner))).length, 1)
  t.true(calls.length > 50)
  t.deepEqual(calls.filter((call) => call.includes('momo')), [])
  t.deepEqual(fs.readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('momo')), [])
  t.is(await sessions.endOwnedBy(owner), 1)
  t.deepEqual(entriesIn(dir), [], 'the entry ends with the session')
})

test.serial('an entry that a dead process left is removed by the sweep, with the directory of its owner', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir })
  const [stays, ends] = [newRecord({}, 24 * 3_600_000, { owner: 'lin' }), newRecord({}, 3_600_000, { owner: 'lin' })]
  for (const record of [stays, ends]) await create(store, record)
  // The process dies when the entry is there and the record is not.
  const lost = newRecord({}, 3_600_000, { owner: 'momo' })
  const entry = await new Promise((resolve) => {
    const gate = async (name: string, args: readonly unknown[]) => {
      if (name !== 'link') return undefined
      resolve(entriesIn(dir).some((each) => each.includes(lost.id)))
      return new Promise<never>(() => args)
    }
    void through(gate, () => openStore({ dir }).create(lost.id, lost))
  })
  t.true(entry)
  t.deepEqual(await all(store.ownedBy('momo')), [])
  await store.prune()
  t.is(entriesIn(dir).length, 3, 'the process might still be alive')

  const { now } = Date
  t.teardown(() => {
    Date.now = now
  })
  Date.now = () => now() + 3 * 3_600_000
  t.is(await store.prune(), 1)
  t.deepEqual(entriesIn(dir).map((each) => each.slice(-64)), [stays.id])
  t.is(fs.readdirSync(path.join(dir, 'owners')).length, 1)
  t.deepEqual(await all(store.ownedBy('lin')), [stays])
})

async function start(t: ExecutionContext) {
  const dir = tempDir(t)
  const sessions = session({ store: fileStore({ dir }), keys: [secret] })
  const app = new Koa()
  const calls: string[] = []
  const watch: Gate = (name, args) => void calls.push(`${name} ${args.filter((each) => typeof each === 'string').join(' ')}`)
  app.use((_, next) => through(watch, next))
  app.use(sessions).use(
    routesOf({
      '/': (ctx) => ({ owner: ctx.session.owner }),
      '/set': (ctx) => ctx.session.set('cart', 'tea'),
      '/login': (ctx) => ctx.session.loginAs(String(ctx.query['user'])),
      '/regenerate': (ctx) => ctx.session.regenerate(),
      '/logout': (ctx) => ctx.session.destroy()
    })
  )
  const origin = await startApp(t, app)
  async function callsOf(browser: Client, url: string): Promise<string[]> {
    calls.length = 0
    await browser.get(url)
    return calls.splice(0)
  }
  return { dir, sessions, callsOf, browser: () => new Client(origin) }
}

function namesOf(calls: readonly string[]): string[] {
  return calls.map((call) => call.split(' ')[0]!)
}
