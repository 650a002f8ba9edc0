import { execFile } from 'node:child_process'
import { copyFile, cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import Koa from 'koa'
import { session, storeFromUrl, type SessionStore } from '../../src/index.js'
import { startApp } from '../support/app.js'
import { runCommand } from '../support/cli.js'
import { Client } from '../support/client.js'
import { needsRedis, startRedis } from '../support/redis.js'
import { day, routesOf, secret, type Options } from '../support/story.js'
import { SnippetProject } from './snippet-project.js'
import { readPage, snippetsOf } from './snippets.js'

// What docs/operations.md says about a restored backup, with real copies of stores.

const journal = snippetsOf('docs/operations.md').find(({ code }) => code.includes('session ended: '))!.code
const project = new SnippetProject({ 'journal.ts': journal })
test.after.always(() => project.remove())

test.serial('a restored directory brings back a session that ended after the backup, and none that was created since', async (t) => {
  const { loggedOut, stayed, later, start } = await restoredFiles(t)
  const open = await start()
  t.is(await open(stayed), 'momo')
  t.is(await open(loggedOut), 'lin', 'honesty: nobody can know that this session ended')
  t.is(await open(later), 'nobody')
})

test.serial('after a restore, new keys without the old one open no session', async (t) => {
  const { loggedOut, stayed, start } = await restoredFiles(t)
  const open = await start({ keys: ['another secret of more than thirty-two characters'] })
  t.is(await open(stayed), 'nobody')
  t.is(await open(loggedOut), 'nobody')
})

for (const option of ['absoluteLifetime', 'lifetime'] as const) {
  test.serial(`after a restore, an option ${option} of less than the age of the backup opens no restored session`, async (t) => {
    const { loggedOut, stayed, start } = await restoredFiles(t)
    const tomorrow = { now: () => Date.now() + day }
    const open = await start({ ...tomorrow, [option]: day - 1 })
    t.is(await open(stayed), 'nobody')
    t.is(await open(loggedOut), 'nobody')
    t.is(await (await start(tomorrow))(stayed), 'momo', 'the option did it')
  })
}

test.serial('a directory that is copied without its file times is restored as well', async (t) => {
  const { stayed, start } = await restoredFiles(t, { preserveTimestamps: false })
  t.is(await (await start())(stayed), 'momo')
})

const redisTest = needsRedis(test)

redisTest.serial('a restored dump of Redis brings back a session that ended after it', async (t) => {
  const redis = await startRedis()
  t.teardown(() => redis.stop())
  const data = (await redis.cli('CONFIG', 'GET', 'dir')).trim().split('\n')[1]!
  const store = storeFromUrl(redis.url)
  t.teardown(() => store.close!())
  const visit = await startShop(t, store)
  const lin = visit()
  await lin.get('/login/lin')
  await redis.cli('SAVE')
  await copyFile(join(data, 'dump.rdb'), join(data, 'backup.rdb'))
  const copy = lin.copy()
  await lin.get('/logout')
  t.is((await copy.get('/')).text, 'nobody')

  await redis.kill()
  await copyFile(join(data, 'backup.rdb'), join(data, 'dump.rdb'))
  await redis.start()
  const again = storeFromUrl(redis.url)
  t.teardown(() => again.close!())
  const restored = copy.at(await startOrigin(t, again))
  t.is((await restored.get('/')).text, 'lin')
})

test.serial('ending what the log of ended sessions names leaves exactly the sessions that had not ended', async (t) => {
  const lines: string[] = []
  const { log } = console
  console.log = (line: string) => void lines.push(`2026-01-01T00:00:00Z INFO ${line}`)
  t.teardown(() => (console.log = log))
  await project.load('journal.ts')
  const { dir, loggedOut, beforeLogin, stayed, start } = await restoredFiles(t)

  // The shell's part of the command on the page.
  const [, extract] = /^(grep .*) \| xargs npx koa-keepsake end --yes --store file:var\/sessions$/m.exec(readPage('docs/operations.md'))!
  const shell = promisify(execFile)('sh', ['-c', extract!.replace(' app.log', '')])
  shell.child.stdin!.end(lines.join('\n'))
  const ids = (await shell).stdout.trim().split('\n')
  t.true(ids.length >= 2 && ids.every((id) => /^[0-9a-f]{64}$/.test(id)))
  const ended = await runCommand(['end', '--yes', '--store', `file:${dir}`, ...ids])
  t.regex(ended.stdout, /ended 2 sessions/)

  const open = await start()
  t.is(await open(stayed), 'momo')
  t.is(await open(loggedOut), 'nobody')
  t.is(await open(beforeLogin), 'nobody')
})

redisTest.serial('the command copies the sessions of a Redis to files, and back into an empty Redis', async (t) => {
  const redis = await startRedis()
  t.teardown(() => redis.stop())
  const dir = await mkdtemp(join(tmpdir(), 'keepsake-backup-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const store = storeFromUrl(redis.url)
  t.teardown(() => store.close!())
  const visit = await startShop(t, store)
  const momo = visit()
  await momo.get('/login/momo')
  t.is((await runCommand(['copy', redis.url, `file:${dir}/backup`, '--yes'])).status, 0)
  await redis.cli('FLUSHALL')
  t.is((await momo.copy().get('/')).text, 'nobody')
  t.is((await runCommand(['copy', `file:${dir}/backup`, redis.url, '--yes'])).status, 0)
  t.is((await momo.get('/')).text, 'momo')
})

/** A directory that was restored to the state before a logout, two logins and a new session, and clients with the cookies that they had. */
async function restoredFiles(t: ExecutionContext, { preserveTimestamps = true } = {}) {
  const parent = await mkdtemp(join(tmpdir(), 'keepsake-backup-'))
  t.teardown(() => rm(parent, { recursive: true, force: true }))
  const [dir, backup] = [join(parent, 'sessions'), join(parent, 'backup')]
  const store = storeFromUrl(`file:${dir}`)
  const visit = await startShop(t, store)
  const [stayed, lin, visitor, newcomer] = [visit(), visit(), visit(), visit()]
  await stayed.get('/login/momo')
  await lin.get('/login/lin')
  await visitor.get('/visit')
  await cp(dir, backup, { recursive: true, preserveTimestamps })

  const [loggedOut, beforeLogin] = [lin.copy(), visitor.copy()]
  await lin.get('/logout')
  await visitor.get('/login/kim')
  await newcomer.get('/login/bea')
  t.is((await loggedOut.get('/')).text, 'nobody')
  await store.close!()

  await rm(dir, { recursive: true })
  await cp(backup, dir, { recursive: true, preserveTimestamps })
  /** Starts the application on the restored directory. Returns what a client sees there. */
  const start = async (options: Options = {}) => {
    const restored = storeFromUrl(`file:${dir}`)
    t.teardown(() => restored.close!())
    const origin = await startOrigin(t, restored, options)
    return async (client: Client) => (await client.copy().at(origin).get('/')).text
  }
  return { dir, stayed, loggedOut, beforeLogin, later: newcomer, start }
}

async function startShop(t: ExecutionContext, store: SessionStore): Promise<() => Client> {
  const origin = await startOrigin(t, store)
  return () => new Client(origin)
}

async function startOrigin(t: ExecutionContext, store: SessionStore, options: Options = {}): Promise<string> {
  const app = new Koa()
  app.keys = [secret]
  app.use(session({ storeTimeout: 60_000, ...options, store }))
  app.use(
    routesOf({
      '/': ({ session: own }) => own.owner ?? (own.has('cart') ? 'a visitor' : 'nobody'),
      '/visit': ({ session: own }) => {
        own.set('cart', ['tea'])
      },
      '/logout': ({ session: own }) => own.destroy(),
      ...Object.fromEntries(['momo', 'lin', 'kim', 'bea'].map((name) => [`/login/${name}`, ({ session: own }: Koa.Context) => own.loginAs(name)]))
    })
  )
  return startApp(t, app)
}
