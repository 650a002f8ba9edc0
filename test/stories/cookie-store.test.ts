import test from 'ava'
import Koa, { type Context } from 'koa'
import { cookieStore, session } from '../../src/index.js'
import { startApp } from '../support/app.js'
import { Client, readSetCookie } from '../support/client.js'
import { idOf, recordEvents } from '../support/events.js'
import { createClock, day, hour, minute, routesOf, secret, type Options, type Routes } from '../support/story.js'

const routes: Routes = {
  '/set': (ctx: Context) => ctx.session.update({ user: 'momo', since: new Date(0) }),
  '/add': (ctx: Context) => void ctx.session.change('visits', (n) => ((n as number | undefined) ?? 0) + 1),
  '/get': (ctx: Context) => ({ ...ctx.session }),
  '/big': (ctx: Context) => ctx.session.set('big', 'x'.repeat(Number(ctx.query['n']))),
  '/clear': (ctx: Context) => ctx.session.clear(),
  '/login': async (ctx: Context) => {
    await ctx.session.regenerate()
    ctx.session.set('in', true)
  },
  '/late-logout': async (ctx: Context) => {
    ctx.respond = false
    ctx.res.flushHeaders()
    await ctx.session.destroy().then(() => ctx.res.end('gone'), (error: Error & { code: string }) => ctx.res.end(error.code))
  },
  '/late-null': (ctx: Context) => {
    ctx.respond = false
    ctx.res.end('gone')
    ctx.session = null
  },
  '/fail': (ctx: Context) => {
    ctx.session.set('attempts', 1)
    ctx.throw(401)
  }
}

async function start(t: Parameters<typeof startApp>[0], options: Options = {}) {
  const time = createClock()
  const app = new Koa()
  app.keys = [secret]
  const errors: Error[] = []
  app.on('error', (error: Error) => errors.push(error))
  app.use(session({ store: cookieStore(), now: time.now, ...options }))
  app.use(routesOf(routes))
  const origin = await startApp(t, app)
  return { client: new Client(origin, { now: time.now }), origin, time, errors }
}

test('the whole session travels in one signed cookie', async (t) => {
  const { client } = await start(t)
  const { setCookie } = await client.get('/set')
  t.is(setCookie.length, 1)
  t.deepEqual((await client.get('/get')).json, { user: 'momo', since: '1970-01-01T00:00:00.000Z' })
  await client.get('/add')
  await client.get('/add')
  t.is(((await client.get('/get')).json as { visits: number }).visits, 2)
})

test('another process can read the session, because nothing is kept on the server', async (t) => {
  const one = await start(t)
  const two = await start(t)
  await one.client.get('/set')
  t.is(((await one.client.at(two.origin).get('/get')).json as { user: string }).user, 'momo')
})

test('a reader gets no cookie again until its refresh is due, and then with a new deadline inside the signature', async (t) => {
  const { client, time } = await start(t, { lifetime: hour })
  await client.get('/set')
  t.deepEqual((await client.get('/get')).setCookie, [])
  const early = client.copy()
  time.pass(50 * minute)
  t.is((await client.get('/get')).setCookie.length, 1)
  time.pass(50 * minute)
  t.is(((await client.get('/get')).json as { user: string }).user, 'momo')
  t.deepEqual((await early.get('/get')).json, {})
})

test('the holder of a cookie cannot move the deadline', async (t) => {
  const { client, time } = await start(t, { lifetime: hour, permanent: true })
  await client.get('/set')
  const value = client.cookie('session')!
  time.pass(hour)
  t.deepEqual((await client.get('/get', { headers: { cookie: `session=${value}` } })).json, {})
})

test('a cookie that was changed in any position opens no session', async (t) => {
  const { client } = await start(t)
  await client.get('/set')
  const value = client.cookie('session')!
  const get = async (forged: string) => (await client.get('/get', { headers: { cookie: `session=${forged}` } })).json
  for (let at = 0; at < value.length; at += 5) {
    const forged = value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1)
    if (forged !== value) t.deepEqual(await get(forged), {}, `at ${at}`)
  }
  const [sid, payload, mac] = value.split('.') as [string, string, string]
  const other = Buffer.from(Buffer.from(payload, 'base64url').toString().replace('momo', 'root')).toString('base64url')
  t.deepEqual(await get(`${sid}.${other}.${mac}`), {})
  t.deepEqual(await get(`${sid}.${payload}`), {})
  t.deepEqual(await get(`${sid}.${mac}`), {})
  t.deepEqual(await get(`${'A'.repeat(43)}.${payload}.${mac}`), {})
})

test('over 4096 bytes is an error that names the size, and the client keeps the cookie it has', async (t) => {
  const { client, errors } = await start(t)
  await client.get('/set')
  const id = idOf(client.cookie('session')!)
  const events = recordEvents(t)
  const { status, setCookie, text } = await client.get('/big?n=4000')
  t.deepEqual(events.filter((event) => event.id === id).map(({ type }) => type), ['load'], 'no event says that it was saved')
  t.is(status, 500)
  t.is(text, 'Internal Server Error')
  t.deepEqual(setCookie, [])
  t.is((errors[0] as Error & { code?: string }).code, 'ERR_SESSION_TOO_LARGE')
  t.regex(errors[0]!.message, /4096/)
  t.regex(errors[0]!.message, /\b[45]\d{3}\b/)
  t.is(((await client.get('/get')).json as { user: string }).user, 'momo')
})

test('every cookie that is sent has at most 4096 bytes', async (t) => {
  const { origin } = await start(t, { permanent: true })
  let largest = 0
  for (let n = 2500; n < 3100; n += 50) {
    const client = new Client(origin)
    const { status, setCookie } = await client.get(`/big?n=${n}`)
    if (status === 500) t.deepEqual(setCookie, [])
    else largest = Math.max(largest, setCookie[0]!.length)
  }
  t.true(largest > 3500 && largest <= 4096, String(largest))
})

test('an emptied session clears its cookie with the same attributes', async (t) => {
  const { client } = await start(t)
  const { setCookie: first } = await client.get('/set')
  const { setCookie } = await client.get('/clear')
  const { value: _, ...attributes } = readSetCookie(first[0]!)
  const { value, expires, ...repeated } = readSetCookie(setCookie[0]!)
  t.is(value, '')
  t.true(Date.parse(String(expires)) === 0)
  t.deepEqual(repeated, attributes)
  t.is(client.cookie('session'), undefined)
})

test('a logout after the headers were sent is an error, because its cookie cannot be cleared', async (t) => {
  const { client, errors } = await start(t)
  await client.get('/set')
  t.is((await client.get('/late-logout')).text, 'ERR_SESSION_HEADERS_SENT')
  await client.get('/late-null')
  t.like((await client.get('/get')).json, { user: 'momo' })
  t.deepEqual(errors.map((error) => (error as { code?: string }).code), ['ERR_SESSION_HEADERS_SENT', 'ERR_SESSION_HEADERS_SENT'])
})

test('regenerate gives a new sid with the same data', async (t) => {
  const { client } = await start(t)
  await client.get('/set')
  const before = client.cookie('session')!.split('.')[0]
  t.is((await client.get('/login')).setCookie.length, 1)
  t.not(client.cookie('session')!.split('.')[0], before)
  t.deepEqual((await client.get('/get')).json, { user: 'momo', since: '1970-01-01T00:00:00.000Z', in: true })
})

test('changes of a request that throws a 401 reach the client', async (t) => {
  const { client } = await start(t)
  t.is((await client.get('/fail')).status, 401)
  t.deepEqual((await client.get('/get')).json, { attempts: 1 })
})

test('a cookie by an older key is read and comes again under the newest', async (t) => {
  const newer = 'a newer key, also longer than thirty-two characters'
  const one = await start(t)
  const two = await start(t, { keys: [newer, secret] })
  const three = await start(t, { keys: [newer] })
  await one.client.get('/set')
  const client = one.client.at(two.origin)
  t.is((await client.get('/get')).setCookie.length, 1)
  t.is(((await client.at(three.origin).get('/get')).json as { user: string }).user, 'momo')
})

test('the cookie carries permanent and a lifetime of its own', async (t) => {
  const { client, time } = await start(t, { permanent: true, lifetime: 100 * day })
  const { setCookie } = await client.get('/set')
  t.is(Date.parse(String(readSetCookie(setCookie[0]!)['expires'])), time.now() + 100 * day)
})
