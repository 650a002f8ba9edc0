import { randomBytes } from 'node:crypto'
import type { ExecutionContext, TestFn } from 'ava'
import { storeFromUrl, type SessionStore } from '../../src/index.js'
import { defaultScope } from '../../src/store/index.js'
import { contentsOf, seed } from '../support/cli-sessions.js'
import { needsTerminal, runCommand, runInTerminal, runProcess } from '../support/cli.js'
import { tempDir } from '../support/files.js'

/** A server that the tests have started, or a directory. */
export interface Backend {
  readonly url: string
  stop(): unknown
}

/** Registers the tests of the command on one store. They share one server, and each has a prefix of its own. */
export function tourOf(test: TestFn, name: string, start: () => Promise<Backend>): void {
  let backend: Backend | undefined
  test.serial.before(async () => {
    backend = await start()
  })
  test.after.always(() => backend?.stop())

  /** A store for the test, and the options of the command that name it. */
  const open = (t: ExecutionContext): { store: SessionStore; url: string; prefix: readonly string[]; on: readonly string[] } => {
    const { url } = backend!
    const prefix = `tour-${randomBytes(4).toString('hex')}:`
    const opened = openStore(t, url, prefix)
    return { store: opened, url, prefix: ['--prefix', prefix], on: ['--store', url, '--prefix', prefix] }
  }

  needsTerminal(test).serial(`${name}: list fits a real terminal of 80 columns, and shows everything in a pipe`, async (t) => {
    const { store, on } = open(t)
    const records = await seed(store, [{ owner: 'a-long-name-of-a-user@example.com' }, {}, { owner: '17' }])
    const { status, screen } = await runInTerminal(['list', ...on])
    t.is(status, 0, screen)
    const lines = screen.trimEnd().split('\n')
    t.is(lines.length, 5, screen)
    for (const line of lines) t.true(line.length <= 80, line)
    t.deepEqual(lines.slice(1, 4).map((line) => line.slice(0, 12)), records.toReversed().map(({ id }) => id.slice(0, 12)))
    const piped = await runProcess(['list', ...on])
    t.is(piped.status, 0, piped.stderr)
    t.deepEqual(piped.stdout.trimEnd().split('\n').slice(1).map((line) => line.split(/ {2,}/)[0]), records.toReversed().map(({ id }) => id))
    t.true(piped.stdout.includes('a-long-name-of-a-user@example.com'))
  })

  test.serial(`${name}: show, end, prune and check work`, async (t) => {
    const { store, on } = open(t)
    const records = await seed(store, [{ owner: '17' }, {}, { owner: '17' }, { owner: '18', sealed: 'c2VhbGVk', data: {} }])
    t.regex((await runCommand(['show', records[0]!.id.slice(0, 12), ...on])).stdout, /^data: +\{ user: 'momo' \}$/m)
    t.regex((await runCommand(['show', records[3]!.id, ...on])).stdout, /^data: +sealed$/m)
    t.regex((await runCommand(['list', '--owner', '17', ...on])).stderr, /^2 sessions/)
    const checked = await runCommand(['check', ...on])
    t.deepEqual([checked.status, checked.stdout.split('\n')[0]], [0, '4 sessions, 3 of them of users who are logged in'], checked.stdout)
    t.is((await runCommand(['end', records[1]!.id, '--yes', ...on])).stdout, 'ended 1 session\n')
    t.is((await runCommand(['end', '--owner', '17', '--yes', ...on])).stdout, 'ended 2 sessions of 17\n')
    t.regex((await runCommand(['prune', '--yes', ...on])).stdout, /^removed \d expired records?\n$/)
    t.deepEqual([...(await contentsOf(store)).keys()], [records[3]!.id])
  })

  test.serial(`${name}: sessions are copied from files and back, with owners and sealed data`, async (t) => {
    const { store, url, prefix } = open(t)
    const [first, second] = [`file:${tempDir(t)}`, `file:${tempDir(t)}/new`]
    const [files, back] = [openStore(t, first, prefix[1]!), openStore(t, second, prefix[1]!)]
    const records = await seed(files, [{ owner: '17', permanent: true, lifetime: 5000 }, {}, { owner: '18', sealed: 'c2VhbGVk', data: {} }, { data: { text: 'aé漢🙂' } }])
    const copied = await runCommand(['copy', first, url, ...prefix])
    t.is(copied.status, 0, copied.stderr)
    t.regex(copied.stdout, /^copied +4 /m)
    t.deepEqual(await byId(store), await byId(files))
    await files.destroy(records[1]!.id)
    await files.update(records[0]!.id, (current) => ({ ...current, data: { changed: true } }))
    const again = await runCommand(['copy', first, url, '--delete', '--yes', ...prefix])
    t.is(again.status, 0, again.stderr)
    t.regex(again.stdout, /^updated +1 .*\n^unchanged +2 .*\n^kept +0 .*\n^removed +1 .*\n^left out +0 /m)
    t.is((await runCommand(['copy', url, second, ...prefix])).status, 0)
    t.deepEqual(await byId(back), await byId(files))
    const owned: string[] = []
    for await (const { id } of store.ownedBy!('17')) owned.push(id)
    t.deepEqual(owned, [records[0]!.id])
  })
}

function openStore(t: ExecutionContext, url: string, prefix: string): SessionStore {
  const store = storeFromUrl(url)
  t.teardown(() => store.close!())
  return store.scope!({ ...defaultScope, prefix })
}

async function byId(store: SessionStore): Promise<[string, object][]> {
  return [...(await contentsOf(store))].toSorted(([one], [other]) => (one < other ? -1 : 1))
}
