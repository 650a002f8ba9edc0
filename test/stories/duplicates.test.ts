import test from 'ava'
import type { Context } from 'koa'
import { idOf } from '../support/events.js'
import { startStory, type Routes } from '../support/story.js'

const routes: Routes = {
  '/set': (ctx: Context) => void (ctx.session.user = ctx.query['user']),
  '/get': (ctx: Context) => ({ user: ctx.session.user })
}

async function twoClients(t: Parameters<typeof startStory>[0]) {
  const story = await startStory(t, routes)
  const other = story.client.copy()
  await story.client.get('/set?user=momo')
  await other.get('/set?user=lin')
  const get = async (cookie: string) => (await story.client.get('/get', { headers: { cookie } })).json
  story.store.calls.length = 0
  return { ...story, get, one: story.client.cookie('session')!, two: other.cookie('session')! }
}

test('of several cookies of the name, the valid one is used, in any position', async (t) => {
  const { get, one } = await twoClients(t)
  const forged = `${'A'.repeat(43)}.${'B'.repeat(43)}`
  t.deepEqual(await get(`session=${one}; session=${forged}`), { user: 'momo' })
  t.deepEqual(await get(`session=${forged}; session=x; session=${one}`), { user: 'momo' })
  t.deepEqual(await get(`session=${one}; session=${one}`), { user: 'momo' })
})

test('of two cookies, the one whose session is live is used, in any order', async (t) => {
  const { get, one, two, store } = await twoClients(t)
  await store.destroy(idOf(one))
  t.deepEqual(await get(`session=${one}; session=${two}`), { user: 'lin' })
  t.deepEqual(await get(`session=${two}; session=${one}`), { user: 'lin' })
})

test('of two cookies that name live sessions, none is used', async (t) => {
  const { get, one, two, store } = await twoClients(t)
  t.deepEqual(await get(`session=${one}; session=${two}`), {})
  t.deepEqual(await get(`session=${two}; session=${one}`), {})
  t.is(store.said, 'read read read read')
})

test('of more than 8 cookies of the name, none is used', async (t) => {
  const { get, one } = await twoClients(t)
  const forged = `session=${'A'.repeat(43)}.${'B'.repeat(43)}; `
  t.deepEqual(await get(`${forged.repeat(7)}session=${one}`), { user: 'momo' })
  t.deepEqual(await get(`${forged.repeat(8)}session=${one}`), {})
})

test('cookies with similar names are ignored', async (t) => {
  const { get, one } = await twoClients(t)
  for (const name of ['Session', 'session2', 'xsession', ' session.sig', 'session[]', '__Host-session']) {
    t.deepEqual(await get(`${name}=${one}`), {}, name)
    t.deepEqual(await get(`${name}=${one}; session=${one}; other="a; b"`), { user: 'momo' }, name)
  }
})

test('a cookie is accepted in one exact form only', async (t) => {
  const { get, one, store } = await twoClients(t)
  const [sid, mac] = one.split('.') as [string, string]
  const forms = [`"${one}`, `""${one}""`, encodeURIComponent(one).replace('.', '%2E'), `${one}=`, `${one}.`, sid, `${sid}.`, `.${mac}`, `${mac}.${sid}`, `${one}\t.`, `${one},`]
  for (const form of forms) t.deepEqual(await get(`session=${form}`), {}, form)
  // The last character of 43 carries unused bits: another spelling of the same bytes is another text.
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const next = (text: string) => text.slice(0, -1) + alphabet[(alphabet.indexOf(text.at(-1)!) & ~3) | ((alphabet.indexOf(text.at(-1)!) + 1) & 3)]!
  t.deepEqual(await get(`session=${next(sid)}.${mac}`), {})
  t.deepEqual(await get(`session=${sid}.${next(mac)}`), {})
  t.is(store.said, '')
  t.deepEqual(await get(`session="${one}"`), { user: 'momo' }, 'one pair of double quotes (RFC 6265 section 4.1.1)')
  t.deepEqual(await get(`session=${one}`), { user: 'momo' })
})
