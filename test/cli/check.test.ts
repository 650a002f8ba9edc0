import { chmodSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { fileStore, storeFromUrl } from '../../src/index.js'
import { inspectDirectory, type Problem } from '../../src/stores/file/index.js'
import { runCommand } from '../support/cli.js'
import { seed, sessionOf } from '../support/cli-sessions.js'
import { fileOf, tempDir } from '../support/files.js'

async function problemsIn(dir: string, now?: number): Promise<Problem[]> {
  const problems: Problem[] = []
  for await (const finding of inspectDirectory(dir, 'session:', now)) if ('problem' in finding) problems.push(finding)
  return problems
}

test('check finds no problem in the directory of an application, while it runs and after', async (t) => {
  const dir = tempDir(t)
  const store = fileStore({ dir })
  await seed(store, [{ owner: '17' }, {}, { moved: true, data: {} }, { expires: Date.now() - 120_000 }])
  await seed(store.scope!({ prefix: 'other:', now: Date.now, largest: 1e6 }), [{}])
  const { status, stdout } = await runCommand(['check', '--store', `file:${dir}`])
  t.is(status, 0)
  t.is(stdout, `2 sessions, 1 of them of users who are logged in
1 expired, which the application removes in time, and prune at once
1 files of other prefixes, which were not checked
no problems in file:${dir}
`)
  await store.close!()
  t.is((await runCommand(['check', '--store', `file:${dir}`])).status, 0)
})

test('check reports foreign files, and leaves them alone', async (t) => {
  const dir = tempDir(t)
  await seed(fileStore({ dir }), [{ owner: '17' }])
  for (const name of ['notes.txt', '.hidden', 'session%3ashort.json', 'owners/notes.txt']) writeFileSync(join(dir, name), 'text')
  mkdirSync(join(dir, 'folder'))
  const { status, stdout } = await runCommand(['check', '--store', `file:${dir}`])
  t.is(status, 1)
  for (const name of ['notes.txt', '.hidden', 'session%3ashort.json', 'folder', join('owners', 'notes.txt')]) {
    t.true(stdout.includes(`foreign   ${name}: koa-keepsake has not made it: move it out of this directory\n`), name)
  }
  t.regex(stdout, /^5 problems in file:/m)
  t.is(readFileSync(join(dir, 'notes.txt'), 'utf8'), 'text')
})

test('check reports corrupt records with the reason, and does not move them aside', async (t) => {
  const dir = tempDir(t)
  const [record] = await seed(fileStore({ dir }), [{}])
  const texts = { empty: '', torn: readFileSync(fileOf(dir, record!.id), 'utf8').slice(0, 50), swapped: JSON.stringify(record), newer: '' }
  const ids = Object.fromEntries(Object.keys(texts).map((name): [string, string] => [name, sessionOf().id]))
  texts.newer = JSON.stringify({ ...record, id: ids['newer'], version: 2 })
  for (const [name, text] of Object.entries(texts)) writeFileSync(fileOf(dir, ids[name]!), text, { mode: 0o600 })
  const linked = sessionOf().id
  symlinkSync(fileOf(dir, record!.id), fileOf(dir, linked))
  const before = readdirSync(dir).sort()
  const problems = new Map((await problemsIn(dir)).map(({ kind, name, problem }) => [name.slice(10, 74), [kind, problem]]))
  t.deepEqual(problems.get(ids['empty']!), ['corrupt', 'it is empty'])
  t.deepEqual(problems.get(ids['torn']!), ['corrupt', 'it is not JSON'])
  t.deepEqual(problems.get(ids['swapped']!), ['corrupt', 'it names another id'])
  t.deepEqual(problems.get(linked), ['corrupt', 'it is not a regular file'])
  t.regex(problems.get(ids['newer']!)![1]!, /format 2, but this version of koa-keepsake reads only format 1/)
  t.is(problems.size, 5)
  t.deepEqual(readdirSync(dir).sort(), before)
})

test('check reports what killed processes left, once nobody can need it any more', async (t) => {
  const dir = tempDir(t)
  const [record] = await seed(fileStore({ dir }), [{ owner: '17' }])
  const id = record!.id
  const names = [`session%3a${id}.0b6c7ab8-0000-4000-8000-000000000000.tmp`, `session%3a${id}.lock`, 'sweep.lock']
  for (const name of names) writeFileSync(join(dir, name), '')
  linkSync(fileOf(dir, id), join(dir, `session%3a${id}.mb3k2x9a-7pzq01c-0.claim`))
  writeFileSync(join(dir, `session%3a${id}.0b6c7ab8-0000-4000-8000-000000000000.corrupt`), '')
  t.deepEqual((await problemsIn(dir)).map(({ name }) => name.slice(75)), ['0b6c7ab8-0000-4000-8000-000000000000.corrupt'], 'the others may be in use')
  const later = Date.now() + 3 * 3_600_000
  const problems = await problemsIn(dir, later)
  t.deepEqual(problems.map(({ kind }) => kind), Array.from({ length: 5 }, () => 'leftover'))
  t.deepEqual(problems.map(({ name }) => name.replace(/^.*\./, '')).toSorted(), ['claim', 'corrupt', 'lock', 'lock', 'tmp'])
})

test('check reports an entry in the index of owners whose session is gone, and a session that the index lacks', async (t) => {
  const dir = tempDir(t)
  const [gone, lacking, right] = await seed(fileStore({ dir }), [{ owner: '17' }, { owner: '18' }, { owner: '19' }])
  rmSync(fileOf(dir, gone!.id))
  const owners = readdirSync(join(dir, 'owners')).flatMap((hash) => readdirSync(join(dir, 'owners', hash)).map((name) => join('owners', hash, name)))
  rmSync(join(dir, owners.find((name) => name.includes(lacking!.id))!))
  const problems = await problemsIn(dir, Date.now() + 30 * 60_000)
  t.deepEqual(problems.map(({ kind, name }) => [kind, name.includes(lacking!.id)]), [['index', true]])
  const later = await problemsIn(dir, Date.now() + 3 * 3_600_000)
  t.deepEqual(later.map(({ kind, name }) => [kind, name.includes(gone!.id)]), [['leftover', true]])
  t.false(later.some(({ name }) => name.includes(right!.id)))
})

test('check reports rights that let other users read or write sessions', async (t) => {
  const dir = tempDir(t)
  const [writable, readable, grouped] = await seed(fileStore({ dir }), [{}, {}, {}])
  chmodSync(fileOf(dir, writable!.id), 0o622)
  chmodSync(fileOf(dir, readable!.id), 0o644)
  chmodSync(fileOf(dir, grouped!.id), 0o640)
  const rights = async () => (await problemsIn(dir)).map(({ kind, name, problem }) => [kind, name.slice(10, 74), problem])
  t.deepEqual(await rights(), [['rights', writable!.id, 'other users may write to it (mode 622): chmod go-w']], 'nobody else can get into the directory')
  chmodSync(dir, 0o755)
  t.true((await rights()).some(([, id, problem]) => id === readable!.id && problem === 'every user may read it (mode 644): chmod o-r, or chmod 700 for the directory'))
  t.false((await rights()).some(([, id]) => id === grouped!.id))
  chmodSync(dir, 0o777)
  t.true((await problemsIn(dir)).some(({ kind, name, problem }) => kind === 'rights' && name === '.' && problem.includes('other users may write to')))
})

test('check reports the rights of an SQLite database', async (t) => {
  const file = join(tempDir(t), 'sessions.db')
  const store = storeFromUrl(`sqlite:${file}`)
  await seed(store, [{ owner: '17' }, {}])
  await store.close!()
  const fine = await runCommand(['check', '--store', `sqlite:${file}`])
  t.deepEqual([fine.status, fine.stdout], [0, `2 sessions, 1 of them of users who are logged in\nno problems in sqlite:${file}\n`])
  chmodSync(file, 0o644)
  const { status, stdout } = await runCommand(['check', '--store', `sqlite:${file}`])
  t.is(status, 1)
  t.regex(stdout, /^rights {4}sessions\.db: other users may read or write it \(mode 644\): chmod 600/)
})

test('a path that does not exist is an error and is not created', async (t) => {
  const dir = tempDir(t)
  for (const url of [`file:${dir}/missing`, `sqlite:${dir}/missing.db`]) {
    for (const args of [['list', '--store', url], ['check', '--store', url], ['copy', url, `file:${dir}/target`]]) {
      const { status, stderr } = await runCommand(args)
      t.is(status, 1)
      t.regex(stderr, /there is no .*missing.*: check --store and the working directory/)
    }
  }
  t.deepEqual(readdirSync(dir), [])
  t.is((await runCommand(['list'], { env: { SESSION_FILE_DIR: join(dir, 'missing') } })).status, 1)
})
