import type { Context } from 'koa'
import { createMark } from '../../../src/record/index.js'
import type { Case } from '../stage.js'
import { nobody, routes } from './routes.js'

/** JSON that a stranger sends, with the names that JavaScript gives a meaning. */
const hostile = `{
  "__proto__": { "polluted": 1, "isAdmin": true },
  "constructor": { "prototype": { "polluted": 2 }, "name": "x" },
  "prototype": { "polluted": 3 },
  "hasOwnProperty": "x", "toString": "x", "valueOf": null, "toJSON": "x", "then": "x", "inspect": "x", "length": -1, "lookupGetter": "x", "__defineGetter__": "x",
  "deep": [{ "__proto__": { "polluted": 4 }, "constructor": { "prototype": { "polluted": 5 } }, "a": { "__proto__": null } }],
  "$date": "2026-01-01T00:00:00.000Z", "$map": [["__proto__", 1]], "$object": { "__proto__": 1 },
  "kinds": [{ "$date": "x" }, { "$map": [["__proto__", { "polluted": 6 }]] }, { "$object": { "$date": 1 } }, { "$dict": { "__proto__": { "polluted": 7 } } }, { "$bigint": 1 }, { "$where": "1" }]
}`

const readBody = async (ctx: Context): Promise<Record<string, unknown>> => {
  let text = ''
  for await (const part of ctx.req) text += String(part)
  return JSON.parse(text) as Record<string, unknown>
}

/** Under one key, because some of these names are members of `ctx.session`, and each of them as a key of its own. */
const storing = {
  ...routes,
  '/store': async (ctx: Context) => {
    const body = await readBody(ctx)
    ctx.session.set('body', body)
    for (const [key, value] of Object.entries(body)) ctx.session.set(key, value)
  },
  '/read': (ctx: Context) => ({
    body: ctx.session.get('body'),
    // A key with the name of a member is data too, but is not listed.
    each: [...Object.keys(ctx.session), 'toJSON'].filter((key) => key !== 'body').map((key) => [key, ctx.session.get(key)]),
    plain: [typeof ctx.session['__proto__'], ({} as { isAdmin?: unknown }).isAdmin ?? null, ([] as { polluted?: unknown }).polluted ?? null]
  })
}

export const prototypeKeys: readonly Case[] = [
  [
    'data with keys such as __proto__ and constructor comes back as it was, and no prototype is changed',
    async (stage, t) => {
      const { browser } = await stage.start(storing)
      const client = browser()
      t.is((await client.post('/store', hostile)).status, 204)
      const { text } = await client.get('/read')
      const { body, each, plain } = JSON.parse(text) as { body: object; each: [string, unknown][]; plain: unknown[] }
      // As texts: a comparison of objects may look at what they inherit.
      t.is(JSON.stringify(body), JSON.stringify(JSON.parse(hostile)))
      t.is(sorted(each), sorted(Object.entries(JSON.parse(hostile) as object)))
      t.deepEqual(plain, ['object', null, null])
      assertClean(t)
      t.deepEqual((await browser().get('/who')).json, nobody)
    }
  ],
  [
    'a stored text with keys such as __proto__, in the data and beside it, gives nobody an owner, a property or another prototype',
    async (stage, t) => {
      if (!stage.opened.texts && !stage.carriesRecord) return void t.pass('nobody but the process itself can write there')
      const { browser, errors } = await stage.start(storing)
      const cookie = await stage.plant((id) => {
        const record = { rev: 1, write: createMark(), id, created: Date.now(), used: Date.now(), expires: Date.now() + 3_600_000, permanent: false, data: 0 }
        const polluting = '"__proto__":{"owner":"root","moved":true,"polluted":8},"constructor":{"prototype":{"owner":"root"}},"toJSON":1'
        return JSON.stringify(record).replace('"data":0', `${polluting},"data":${hostile.replaceAll(/\s*\n\s*/g, '')}`)
      })
      const client = browser()
      client.keep(`${cookie}; path=/`)
      t.is(((await client.get('/who')).json as { owner: unknown }).owner, null)
      for (const path of ['/set?key=a&value=1', '/regenerate', '/set?key=b&value=2', '/save', '/reload']) t.true((await client.get(path)).status < 300, path)
      const { text } = await client.get('/read')
      const each = new Map((JSON.parse(text) as { each: [string, unknown][] }).each)
      t.is(JSON.stringify(each.get('deep')), JSON.stringify((JSON.parse(hostile) as { deep: unknown }).deep))
      t.is(each.get('b'), '2')
      assertClean(t)
      t.deepEqual(errors, [])
    }
  ]
]

function assertClean(t: { deepEqual(one: unknown, other: unknown): void }): void {
  for (const value of [{}, [], 'x', 7, () => undefined, new Map(), Buffer.alloc(0)]) {
    const seen = value as unknown as { polluted?: unknown; isAdmin?: unknown; owner?: unknown }
    t.deepEqual([seen.polluted, seen.isAdmin, seen.owner], [undefined, undefined, undefined])
  }
}

function sorted(entries: readonly (readonly [string, unknown])[]): string {
  return entries.map((entry) => JSON.stringify(entry)).toSorted((one, other) => (one < other ? -1 : 1)).join()
}
