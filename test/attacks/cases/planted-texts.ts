import { createMark, writeRecord, type SessionRecord } from '../../../src/record/index.js'
import { createSid, idOf } from '../../../src/cookie/index.js'
import { recordEvents } from '../../support/events.js'
import { cookieOf, type Case, type Stage, type Target } from '../stage.js'
import { nobody, routes } from './routes.js'

/** Small, so that a text that is too large is easy to put. In bytes. */
const maxBytes = 8000

const paths = ['/who', '/set?key=own&value=1', '/login?user=momo', '/login-in-koa-style?user=momo', '/regenerate', '/take?key=user', '/save', '/reload', '/replace?user=momo', '/logout']

type Fields = { readonly [Name in keyof SessionRecord]?: unknown }

/** A whole record, which would log its reader in. */
function recordOf(id: string, fields: Fields = {}): string {
  const now = Date.now()
  const record = { rev: 1, write: createMark(), id, created: now, used: now, expires: now + 3_600_000, permanent: false, owner: 'planted', data: { user: 'planted' } }
  return JSON.stringify({ ...record, ...fields })
}

const withData = (id: string, json: string): string => recordOf(id).replace('{"user":"planted"}', `{"user":"planted","x":${json}}`)
const nested = (depth: number, open: string, close: string): string => open.repeat(depth) + close.repeat(depth)

const wrongFields: readonly Fields[] = [
  { id: undefined }, { id: null }, { id: ['a'.repeat(64)] }, { rev: '1' }, { rev: 0 }, { rev: -1 }, { rev: 1.5 }, { rev: 2 ** 53 }, { rev: { $gt: 0 } }, { write: '' }, { write: 7 }, { write: {} },
  { created: 'x' }, { created: -1 }, { used: null }, { expires: 'never' }, { expires: -1 }, { expires: 9e15 }, { expires: null }, { permanent: 'yes' }, { permanent: 0 }, { lifetime: 0 }, { lifetime: '1h' },
  { lifetime: 1e300 }, { owner: '' }, { owner: 7 }, { owner: { $ne: null } }, { owner: ['root'] }, { owner: 'x'.repeat(257) }, { moved: false }, { moved: 'yes' }, { version: 'x', id: 'x' },
  { data: null }, { data: [] }, { data: 'x' }, { data: undefined }
]

/** The longest cookie that Node's limit for all headers leaves room for, in characters. */
const longestCookie = 15_000

/** Texts that are no record of the id, whatever they look like. */
const corrupt: readonly (readonly [what: string, textOf: (id: string) => string])[] = [
  ...['null', '[]', '"text"', '7', 'true', '{}', 'undefined', "{'rev':1}", '<script>', 'planted'].map((text) => [text, () => text] as const),
  ['a torn record', (id) => recordOf(id).slice(0, -1)],
  ['two records', (id) => recordOf(id) + recordOf(id)],
  ['a byte order mark before a record', (id) => `\ufeff${recordOf(id)}`],
  ['the record of another session', () => recordOf(idOf(createSid()))],
  ['two ids', (id) => recordOf(id).replace('"data"', `"id":"${idOf(createSid())}","data"`)],
  ['the id in upper case', (id) => recordOf(id.toUpperCase())],
  ['the id as __proto__', (id) => recordOf(id).replace('"id":', '"__proto__":')],
  ...wrongFields.map((fields) => [`a record with ${JSON.stringify(fields).slice(0, 60)}`, (id: string) => recordOf(id, fields)] as const),
  ['an infinite deadline', (id) => recordOf(id).replace(/"expires":\d+/, '"expires":1e999')],
  ['an infinite number', (id) => withData(id, '1e400')],
  ['an infinite number deep inside', (id) => withData(id, '[[{"a":[-1E+999]}]]')],
  ['a number of 400 digits', (id) => withData(id, '9'.repeat(400))],
  ['2 000 nested arrays', (id) => withData(id, nested(2000, '[', ']'))],
  ['1 000 nested maps', (id) => withData(id, nested(1000, '{"$map":[["k",', ']]}').replace(',]', ',1]'))],
  ['2 000 nested objects', (id) => withData(id, nested(2000, '{"a":', '}').replace(':}', ':1}'))],
  ['a text that is too large by a byte', (id) => withData(id, `"${'x'.repeat(2 * maxBytes + 1 - withData(id, '""').length)}"`)]
]

/** Records that are well formed and open no session. */
const closed: readonly (readonly [what: string, textOf: (id: string) => string])[] = [
  ['an expired record', (id) => recordOf(id, { expires: Date.now() - 1 })],
  ['a record that has been idle for longer than lifetime allows', (id) => recordOf(id, { used: 1, lifetime: 1000, expires: 1001 })],
  ['a marker with an owner and data', (id) => recordOf(id, { moved: true })]
]

export const plantedTexts: readonly Case[] = [
  [
    'a planted text that is no record of its session opens none, is reported, and is no error in any request',
    async (stage, t) => {
      if (!stage.opened.texts && !stage.carriesRecord) return void t.pass('nobody but the process itself can write there')
      const target = await stage.start(routes, { maxBytes })
      const events = recordEvents(t)
      for (const [at, [what, textOf]] of corrupt.entries()) {
        // Each path meets many texts, and the first one all of them.
        for (const path of new Set([paths[0]!, paths[1 + (at % (paths.length - 1))]!])) {
          let id = ''
          const header = await stage.plant((each) => textOf((id = each)))
          if (header.length > longestCookie) continue
          await assertNobody(t, target, header, path, what)
          t.true(events.some((event) => event.type === 'corrupt' && event.id === id), `${path}: ${what} is reported`)
        }
      }
      t.deepEqual(target.errors, [])
    }
  ],
  [
    'a planted record that is over, or moved, opens no session',
    async (stage, t) => {
      if (!stage.opened.texts && !stage.carriesRecord) return void t.pass('nobody but the process itself can write there')
      const target = await stage.start(routes, { maxBytes })
      for (const [what, textOf] of closed) for (const path of paths) await assertNobody(t, target, await stage.plant(textOf), path, what)
      t.deepEqual(target.errors, [])
    }
  ],
  [
    'what is no text in the place of a record opens no session, and is no error in any request',
    async (stage, t) => {
      const odd = stage.opened.texts?.odd ?? []
      const target = await stage.start(routes)
      for (const [what, put] of odd) for (const path of paths) await assertNobody(t, target, await plantOdd(stage, put), path, what)
      t.deepEqual(target.errors, [])
    }
  ],
  [
    'a record of a newer format is 503 for every request that would use it, and stays as it is',
    async (stage, t) => {
      if (!stage.opened.texts) return void t.pass('there is no server side')
      const target = await stage.start(routes)
      const mark = createMark()
      for (const path of paths) {
        const header = await stage.plant((id) => recordOf(id, { write: mark, version: 2 }))
        const { status, setCookie } = await target.browser().get(path, { headers: { cookie: header } })
        t.deepEqual({ status, setCookie }, { status: 503, setCookie: [] }, path)
      }
      t.is((await stage.opened.texts.dump()).split(mark).length - 1 >= paths.length, true)
    }
  ],
  [
    'a session that a text was planted over, with another owner and data, is refused as soon as it is read',
    async (stage, t) => {
      if (!stage.opened.texts) return void t.pass('there is no server side')
      const { browser, sessions } = await stage.start(routes)
      const [victim, other] = [browser(), browser()]
      await victim.get('/login?user=victim')
      await other.get('/login?user=other')
      const [id, otherId] = [victim, other].map((each) => idOf(each.cookie('session')!.split('.')[0]!)) as [string, string]
      await stage.opened.texts.put(stage.prefix, id, writeRecord(JSON.parse(recordOf(otherId)) as SessionRecord))
      t.deepEqual((await victim.get('/who')).json, nobody)
      t.is(((await other.get('/who')).json as { owner: string }).owner, 'other')
      t.is(await sessions.find(id), undefined)
    }
  ],
  [
    "a planted entry in the index of owners gives nobody another owner's session, to see or to end",
    async (stage, t) => {
      const { claim } = stage.opened.texts ?? {}
      if (!claim) return void t.pass('there is no index')
      const { browser, sessions } = await stage.start({ ...routes, '/end-others': async (ctx) => ({ ended: await ctx.session.endOthers() }) }, { maxPerOwner: 2 })
      const [victim, attacker] = [browser(), browser()]
      await victim.get('/login?user=victim')
      await claim(stage.prefix, idOf(victim.cookie('session')!.split('.')[0]!), 'attacker')
      await claim(stage.prefix, idOf(createSid()), 'attacker')
      for (let login = 0; login < 3; login++) await attacker.get('/login?user=attacker')
      const listed: (string | undefined)[] = []
      for await (const { owner } of sessions.ownedBy('attacker')) listed.push(owner)
      t.deepEqual(listed, ['attacker'])
      t.deepEqual((await attacker.get('/end-others')).json, { ended: 0 })
      t.is(await sessions.endOwnedBy('attacker'), 1)
      t.is(((await victim.get('/who')).json as { owner: string }).owner, 'victim')
    }
  ]
]

async function assertNobody(t: Parameters<Case[1]>[1], { browser }: Target, cookie: string, path: string, what: string): Promise<void> {
  const { status, text } = await browser().get(path, { headers: { cookie } })
  t.true(status < 300, `${path}: ${what}: ${status}`)
  t.notRegex(text, /planted/, `${path}: ${what}`)
  if (path === '/who') t.is(text, JSON.stringify(nobody), what)
}

async function plantOdd({ prefix }: Stage, put: (prefix: string, id: string) => Promise<unknown>): Promise<string> {
  const sid = createSid()
  await put(prefix, idOf(sid))
  return cookieOf(sid)
}
