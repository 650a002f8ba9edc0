import test from 'ava'
import { fileStore } from '../../src/index.js'
import { runCommand } from '../support/cli.js'
import { contentsOf, seed, sessionOf } from '../support/cli-sessions.js'
import { tempDir } from '../support/files.js'

test('end asks, and ends nothing without a yes', async (t) => {
  const dir = tempDir(t)
  const store = fileStore({ dir })
  const [record] = await seed(store, [{ owner: '17' }])
  for (const input of ['n\n', '\n', '', 'yes please\n']) {
    const { status, stderr } = await runCommand(['end', record!.id, '--store', `file:${dir}`], { input })
    t.is(status, 1)
    t.true(stderr.includes(`This ends 1 session in file:${dir}, and logs their users out.\nGo on? [y/N]`), stderr)
    t.regex(stderr, /Nothing was changed\.\n$/)
  }
  t.is((await contentsOf(store)).size, 1)
})

test('end ends the sessions that it shows after a yes', async (t) => {
  const dir = tempDir(t)
  const store = fileStore({ dir })
  const records = await seed(store, [{ owner: '17' }, {}, { owner: '18' }])
  const { status, stdout, stderr } = await runCommand(['end', records[0]!.id, records[1]!.id.slice(0, 12), '--store', `file:${dir}`], { input: 'y\n' })
  t.is(status, 0)
  t.is(stdout, 'ended 2 sessions\n')
  for (const { id } of records.slice(0, 2)) t.true(stderr.includes(id))
  t.deepEqual([...(await contentsOf(store)).keys()], [records[2]!.id])
})

test('without a terminal, end needs --yes, and does not ask with it', async (t) => {
  const dir = tempDir(t)
  const store = fileStore({ dir })
  const [record] = await seed(store, [{}])
  const refused = await runCommand(['end', record!.id, '--store', `file:${dir}`])
  t.is(refused.status, 1)
  t.regex(refused.stderr, /nobody can answer, because the input is no terminal: pass --yes/)
  t.is((await contentsOf(store)).size, 1)
  const ended = await runCommand(['end', record!.id, '--yes', '--store', `file:${dir}`])
  t.is(ended.status, 0)
  t.notRegex(ended.stderr, /y\/N/)
  t.is((await contentsOf(store)).size, 0)
})

test('end ends the sessions that there are and reports the others', async (t) => {
  const dir = tempDir(t)
  const store = fileStore({ dir })
  const [record] = await seed(store, [{}])
  const { id } = sessionOf()
  const { status, stdout, stderr } = await runCommand(['end', id, record!.id, '--yes', '--store', `file:${dir}`])
  t.deepEqual([status, stdout], [1, 'ended 1 session\n'])
  t.true(stderr.includes(`there is no session ${id}`))
})

test("end --owner ends all sessions of that user and nobody else's", async (t) => {
  const dir = tempDir(t)
  const store = fileStore({ dir })
  const records = await seed(store, [...Array.from({ length: 12 }, () => ({ owner: '17' })), { owner: '18' }, {}])
  const { status, stdout, stderr } = await runCommand(['end', '--owner', '17', '--yes', '--store', `file:${dir}`])
  t.deepEqual([status, stdout], [0, 'ended 12 sessions of 17\n'])
  t.regex(stderr, /This ends 12 sessions \(and 2 more\)/)
  t.deepEqual([...(await contentsOf(store)).keys()].toSorted(), records.slice(12).map(({ id }) => id).toSorted())
  t.regex((await runCommand(['end', '--owner', '17', '--yes', '--store', `file:${dir}`])).stderr, /^17 has no sessions in file:/)
})

test('end ends a session whose sid was replaced, under its new id', async (t) => {
  const dir = tempDir(t)
  const store = fileStore({ dir })
  const next = sessionOf()
  const [, marker] = await seed(store, [next, { moved: true, movedTo: next.id, data: {} }])
  const { status } = await runCommand(['end', marker!.id, '--yes', '--store', `file:${dir}`])
  t.is(status, 0)
  t.is((await contentsOf(store)).size, 0)
})

test('end needs IDs or an owner, and not both', async (t) => {
  const dir = tempDir(t)
  const [record] = await seed(fileStore({ dir }), [{}])
  for (const args of [[], [record!.id, '--owner', '17'], ['--owner', ''], ['--owner', 'x'.repeat(257)]]) {
    const { status, stderr } = await runCommand(['end', ...args, '--yes', '--store', `file:${dir}`])
    t.is(status, 1)
    t.regex(stderr, /say which sessions to end|--owner must be/)
  }
})

test('prune asks, and removes only what has expired', async (t) => {
  const dir = tempDir(t)
  const store = fileStore({ dir })
  await seed(store, [{ expires: Date.now() - 120_000 }, { expires: Date.now() - 61_000 }, {}])
  t.is((await runCommand(['prune', '--store', `file:${dir}`], { input: 'n\n' })).status, 1)
  const { status, stdout, stderr } = await runCommand(['prune', '--store', `file:${dir}`], { input: 'y\n' })
  t.deepEqual([status, stdout], [0, 'removed 2 expired records\n'])
  t.regex(stderr, /This removes the records of expired sessions from file:.*It logs nobody out\.\nGo on\? \[y\/N\]/)
  t.is((await contentsOf(store)).size, 1)
})

test('no command uses the threshold of the store, which would evict sessions', async (t) => {
  const dir = tempDir(t)
  await seed(fileStore({ dir, threshold: 0 }), [{}])
  // A program that reads this threshold refuses it.
  const url = `file:${dir}?threshold=none`
  for (const args of [['list', '--store', url], ['prune', '--yes', '--store', url], ['copy', url, `file:${dir}/copy?threshold=none`]]) t.is((await runCommand(args)).status, 0, args[0])
  const env = { SESSION_FILE_DIR: dir, SESSION_FILE_THRESHOLD: 'none' }
  for (const args of [['list'], ['prune', '--yes']]) t.is((await runCommand(args, { env })).status, 0, args[0])
})
