import fs from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import type { FileStoreOptions, SessionError } from '../../src/index.js'
import { Client } from '../support/client.js'
import { idOf, recordEvents } from '../support/events.js'
import { counting, newRecord, openStore, tempDir } from '../support/files.js'
import type { Routes } from '../support/story.js'
import { failing } from './codes.js'
import { under, type Plan } from './file-system.js'
import { assertTyped, playAll, scenes, start, type Setting } from './scenes.js'

/** Whether the fault hits one call, that call and all after it, or one call that was carried out all the same. */
type Manner = 'once' | 'from then on' | 'once, although it was carried out'

async function tryAll(t: ExecutionContext, code: string, manner: Manner, options: FileStoreOptions, names = Object.keys(scenes)): Promise<void> {
  const events = recordEvents(t)
  const setting = await start(t, options)
  let hits = 0
  for (const what of names) {
    hits += await playAll(t, setting, what, failing[code]!, (_call, isNth) => {
      if (manner !== 'from then on' && !isNth) return undefined
      return { code, isCarriedOut: manner === 'once, although it was carried out' }
    })
  }
  t.true(hits > names.length, `${hits} calls failed`)
  assertTyped(t, setting)
  t.deepEqual(events.filter(({ type }) => type === 'corrupt'), [])
  await assertSwept(t, setting)
}

/** What a failed call leaves behind is swept after some hours. */
async function assertSwept(t: ExecutionContext, { dir, witness }: Setting): Promise<void> {
  const { now } = Date
  Date.now = () => now() + 3 * 3_600_000
  try {
    await witness().prune()
    await witness().prune()
  } finally {
    Date.now = now
  }
  t.deepEqual(fs.readdirSync(dir).filter((name) => !/\.json$|^owners$/.test(name)), [])
}

const guarantee = 'what was acknowledged is stored, what was not is whole or absent, and the next request succeeds'
const main = ['a new session', 'a save', 'a read', 'a login', 'regenerate()', 'a logout']

for (const code of Object.keys(failing)) {
  for (const manner of ['once', 'from then on'] as const) {
    test.serial(`whichever call of the file system fails (${code}, ${manner}), ${guarantee}`, (t) => tryAll(t, code, manner, {}, code === 'EIO' ? undefined : main))
  }
}

// As NFS answers when it lost its first answer.
for (const code of ['EIO', 'EEXIST']) {
  test.serial(`whichever call of the file system fails (${code}) although it was carried out, ${guarantee}`, (t) => tryAll(t, code, 'once, although it was carried out', {}))
}

for (const [what, options] of [['with lock files', { locking: 'lockfile' }], ['with durability power', { durability: 'power' }]] as const) {
  for (const [code, manner] of [['EIO', 'once'], ['ENOSPC', 'from then on'], ['EACCES', 'once']] as const) {
    test.serial(`${what}, whichever call of the file system fails (${code}, ${manner}), ${guarantee}`, (t) => tryAll(t, code, manner, options, main))
  }
}

test.serial(`whichever file others remove right before a call, ${guarantee}`, async (t) => {
  const setting = await start(t)
  let hits = 0
  for (const what of Object.keys(scenes)) {
    hits += await playAll(t, setting, what, ({ path: named }) => named !== undefined && !/\.json$|\/owners\b|sessions$/.test(named), ({ path: named }, isNth) => {
      if (isNth) fs.rmSync(named!, { force: true })
      return undefined
    })
  }
  t.true(hits > 20)
  assertTyped(t, setting)
  await assertSwept(t, setting)
})

for (const bytes of [1, 100]) {
  test.serial(`writes that take ${bytes} of their bytes are continued: no record is torn`, async (t) => {
    const setting = await start(t)
    for (const what of main) await playAll(t, setting, what, ({ name, args }) => name === 'write' && Number(args[3]) > bytes, () => ({ bytes }))
    assertTyped(t, setting)
    t.deepEqual(setting.errors, [])
  })
}

test.serial('a write that takes no byte, without an error, fails instead of being tried for ever', async (t) => {
  const setting = await start(t)
  for (const what of main) await playAll(t, setting, what, ({ name }) => name === 'write', () => ({ bytes: 0 }))
  assertTyped(t, setting)
  t.true(setting.errors.length > 3)
  for (const { code } of setting.errors as readonly SessionError[]) t.is(code, 'ERR_SESSION_STORE')
})

const logouts: Routes = {
  '/login': (ctx) => ctx.session.loginAs('momo'),
  '/who': (ctx) => ({ owner: ctx.session.owner ?? null }),
  '/destroy': (ctx) => ctx.session.destroy(),
  '/null': (ctx) => void (ctx.session = null),
  '/clear': (ctx) => ctx.session.clear(),
  '/end-others': async (ctx) => ({ ended: await ctx.session.endOthers() })
}

const full: Plan = (call) => (failing['ENOSPC']!(call) ? { code: 'ENOSPC' } : undefined)

test.serial('on a full disk people can log out, and can be logged out, in every way', async (t) => {
  const { origin, plans, sessions } = await start(t, {}, logouts)
  plans.set('full', full)
  const headers = { 'x-plan': 'full' }
  const ways: { readonly [what: string]: (client: Client, id: string) => unknown } = {
    'destroy()': async (client) => t.is((await client.get('/destroy', { headers })).status, 204),
    'ctx.session = null': async (client) => t.is((await client.get('/null', { headers })).status, 204),
    'clear()': async (client) => t.is((await client.get('/clear', { headers })).status, 204),
    'endOthers()': async () => {
      const other = new Client(origin)
      await other.get('/login')
      t.deepEqual((await other.get('/end-others', { headers })).json, { ended: 1 })
      await other.get('/destroy')
    },
    'sessions.end()': async (_client, id) => t.true(await under(full, () => sessions.end(id))),
    'sessions.endOwnedBy()': async () => t.is(await under(full, () => sessions.endOwnedBy('momo')), 1)
  }
  for (const [what, logOut] of Object.entries(ways)) {
    const client = new Client(origin)
    await client.get('/login')
    const thief = client.copy()
    await logOut(client, idOf(client.cookie('session')!))
    t.deepEqual((await thief.get('/who')).json, { owner: null }, what)
  }
  t.is(await sessions.count(), 0)
})

test.serial('a hard link that is refused once does not make a process use lock files beside the claims of another', async (t) => {
  const dir = tempDir(t)
  for (const code of ['EPERM', 'EACCES']) {
    let refused = 0
    const once = openStore({ dir })
    const other = openStore({ dir })
    const record = newRecord()
    await under(({ name }) => (name === 'link' && refused++ === 0 ? { code } : undefined), () => once.create(record.id, record))
    t.true(refused > 1)
    await Promise.all([once, other].flatMap((store) => Array.from({ length: 40 }, () => store.update(record.id, counting()))))
    t.deepEqual((await other.read(record.id))?.data, { count: 80 }, code)
    const calls: string[] = []
    await under(({ name }) => void calls.push(name), () => once.update(record.id, counting()))
    t.true(calls.includes('link') && !calls.includes('mkdir'), 'it makes claims')
  }
})
