import type { ExecutionContext, TestFn } from 'ava'
import Koa from 'koa'
import { session, type SessionStore } from '../../src/index.js'
import { startApp, type Cleanup } from '../support/app.js'
import { Client } from '../support/client.js'
import { routesOf, secret } from '../support/story.js'

/** A store whose traffic is seen. */
export interface Traffic {
  readonly store: SessionStore
  /** What was sent since the last call of this: one text for each round trip, without the texts of records. */
  sent(): Promise<string[]>
}

/** Nothing but an owner has this text in it. */
const marker = 'momo'
/** A careless store would take it for a pattern, a path or the end of a text. */
const owner = `${marker}*?%_/../'"\``

/** What a store sends for a session of an owner, over any store with a server. */
export function ownerTraffic(test: TestFn, name: string, open: (t: Cleanup) => Promise<Traffic>): void {
  test.serial(`${name}: a login costs at most one round trip more than regenerate(), and a read of a session with an owner none`, async (t) => {
    const { sent, open: login, count } = await start(t, open)
    for (const before of ['a visitor', 'kim', owner]) {
      const regenerated = await count(await login(before), '/regenerate')
      for (const user of ['kim', owner]) {
        const cost = await count(await login(before), loginPath(user))
        t.true(cost <= regenerated + 1, `${cost} instead of ${regenerated}`)
      }
    }
    const stranger = new Client((await login('a visitor')).origin)
    await sent()
    t.true((await count(stranger, `/login?user=kim`)) <= 2, 'the record, and the entry in the index')
    const reads = [await count(await login('a visitor'), '/'), await count(await login('kim'), '/'), await count(await login(owner), '/')]
    t.deepEqual(reads, [1, 1, 1])
  })

  test.serial(`${name}: no request but for the text of a record shows an owner`, async (t) => {
    const { sessions, sent, open: login } = await start(t, open)
    await sent()
    const browsers = [await login('a visitor'), await login('kim'), await login(owner)]
    for (const browser of browsers) await browser.get(loginPath(owner))
    await browsers[0]!.get('/regenerate')
    await browsers[0]!.get('/set')
    t.deepEqual((await browsers[1]!.get('/logout')).status, 204)
    let listed = 0
    for await (const each of sessions.ownedBy(owner)) listed += each.owner === owner ? 1 : 0
    t.is(listed, 2)
    t.is(await sessions.endOwnedBy(owner), 2)
    await sessions.prune()
    const requests = await sent()
    t.true(requests.length > 20)
    t.deepEqual(requests.filter((text) => text.includes(marker)), [])
  })
}

async function start(t: ExecutionContext, open: (t: Cleanup) => Promise<Traffic>) {
  const { store, ...traffic } = await open(t)
  const sent = () => traffic.sent()
  const sessions = session({ store, keys: [secret], storeTimeout: 60_000 })
  const app = new Koa()
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

  /** A browser with a session: of a visitor, or of an owner. */
  async function login(user: string): Promise<Client> {
    const browser = new Client(origin)
    await browser.get('/set')
    if (user !== 'a visitor') await browser.get(loginPath(user))
    return browser
  }
  /** How many round trips a request costs. */
  async function count(browser: Client, path: string): Promise<number> {
    await sent()
    const { status } = await browser.get(path)
    t.true(status < 300, path)
    return (await sent()).length
  }
  // What is sent once in a process (a script, an index) is sent now.
  const warm = await login('kim')
  for (const path of ['/', '/regenerate', '/login?user=lin', '/set', '/logout']) await warm.get(path)
  await sent()
  return { sessions, sent, open: login, count }
}

function loginPath(user: string): string {
  return `/login?user=${encodeURIComponent(user)}`
}
