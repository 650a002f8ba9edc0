import test, { type ExecutionContext } from 'ava'
import { session } from '../../src/index.js'
import { TextDatabase } from '../store/text-backend.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { createApp, routesOf, secret, type Handler } from '../support/story.js'

// Requests that read an unchanged record share it (store/known-records.ts). So no request may change it.

interface Cart {
  items: { name: string; count: number }[]
  seen: Set<string>
  since: Date
}

const data = (): object => ({ cart: { items: [{ name: 'tea', count: 1 }], seen: new Set(['tea']), since: new Date(0) }, roles: ['customer'] })

/** Changes a value, and everything in it, in place. */
function spoil(value: unknown): void {
  if (Array.isArray(value)) {
    for (const item of value) spoil(item)
    value.push('spoilt')
  } else if (value instanceof Set) value.add('spoilt')
  else if (value instanceof Date) value.setFullYear(1999)
  else if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) spoil(inner)
    Object.assign(value, { spoilt: true })
  }
}

const sessions = session({ store: new TextDatabase().store(), keys: [secret] })

const spoilers: Record<string, Handler> = {
  'a value from get()': (ctx) => spoil(ctx.session.get('cart')),
  'a value from pop()': (ctx) => spoil(ctx.session.pop('cart')),
  'a value from setDefault()': (ctx) => spoil(ctx.session.setDefault('cart', {})),
  'a spread of the session': (ctx) => spoil({ ...ctx.session }),
  'what it stringifies': (ctx) => spoil((ctx.session as unknown as { toJSON(): unknown }).toJSON()),
  'its entries': (ctx) => spoil(Object.entries(ctx.session)),
  'the argument of change()': (ctx) =>
    ctx.session.change('cart', (cart?: Cart): Cart => {
      spoil(cart)
      throw new Error('changed my mind')
    }),
  'a value after reload()': async (ctx) => {
    await ctx.session.reload()
    spoil(ctx.session.get('cart'))
  },
  'the data from find()': async (ctx) => spoil((await sessions.find(ctx.session.recordId!))?.data),
  'the data from read()': async (ctx) => spoil((await sessions.read(ctx.req))?.data),
  'the data from all()': async () => {
    for await (const each of sessions.all()) spoil(each.data)
  }
}

/** Every text of a record that is parsed from now on. */
function parsedTexts(t: ExecutionContext): string[] {
  const texts: string[] = []
  const parse = JSON.parse.bind(JSON)
  JSON.parse = (text, reviver) => {
    if (text.startsWith('{"rev"')) texts.push(text)
    return parse(text, reviver) as unknown
  }
  t.teardown(() => {
    JSON.parse = parse
  })
  return texts
}

/** The changes of a request that fails are dropped. */
const fails = (handler: Handler): Handler => async (ctx) => {
  await handler(ctx)
  ctx.throw(500)
}

test('a request that changes what it got in place, and does not save it, changes nothing for the next request', async (t) => {
  const app = createApp()
  app.silent = true
  app.use(sessions)
  let got: unknown
  const routes = Object.entries(spoilers).map(([name, handler]) => [`/${encodeURIComponent(name)}`, fails(handler)] as const)
  app.use(routesOf({ '/set': (ctx) => ctx.session.update(data()), '/': (ctx) => void (got = { ...ctx.session }), ...Object.fromEntries(routes) }))
  const client = new Client(await startApp(t, app))
  await client.get('/set')
  for (let reads = 0; reads < 3; reads++) await client.get('/')
  const texts = parsedTexts(t)
  for (const name of Object.keys(spoilers)) {
    t.is((await client.get(`/${encodeURIComponent(name)}`)).status, 500, name)
    await client.get('/')
    t.deepEqual(got, data(), name)
  }
  // Only a listing parses each text.
  t.is(texts.length, 1, 'all requests shared one record')
})
