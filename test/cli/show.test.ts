import test from 'ava'
import { fileStore } from '../../src/index.js'
import { runCommand } from '../support/cli.js'
import { seed, sessionOf } from '../support/cli-sessions.js'
import { tempDir } from '../support/files.js'
import { secret, startStory } from '../support/story.js'

test('show prints the facts and the data, with values of every kind as Node shows them', async (t) => {
  const dir = tempDir(t)
  const data = { cart: [{ sku: 'tea' }], when: { $date: '2026-01-01T00:00:00.000Z' }, seen: { $set: [1, 2] } }
  const [record] = await seed(fileStore({ dir }), [{ owner: '17', permanent: true, lifetime: 5000, created: Date.UTC(2026, 0, 2, 3, 4, 5), data }])
  const { status, stdout } = await runCommand(['show', record!.id, '--store', `file:${dir}`])
  t.is(status, 0)
  for (const line of [`id:         ${record!.id}`, 'owner:      17', 'created:    2026-01-02 03:04:05 UTC', 'permanent:  yes', 'lifetime:   5000 ms', 'revision:   1']) {
    t.true(stdout.includes(`${line}\n`), line)
  }
  t.is(stdout.slice(stdout.indexOf('data:')).replace(/\s+/g, ' '), "data: { cart: [ { sku: 'tea' } ], when: 2026-01-01T00:00:00.000Z, seen: Set(2) { 1, 2 } } ")
})

test('show --json prints the record as it is stored', async (t) => {
  const dir = tempDir(t)
  const [record] = await seed(fileStore({ dir }), [{ data: { when: { $date: '2026-01-01T00:00:00.000Z' } } }])
  const { stdout } = await runCommand(['show', '--json', record!.id, '--store', `file:${dir}`])
  t.deepEqual(JSON.parse(stdout), record)
})

test('show does not open sealed data', async (t) => {
  const dir = tempDir(t)
  const [record] = await seed(fileStore({ dir }), [{ owner: '17', sealed: 'c2VhbGVk', data: {} }])
  const { stdout } = await runCommand(['show', record!.id, '--store', `file:${dir}`])
  t.regex(stdout, /^owner: +17$/m)
  t.regex(stdout, /^data: +sealed$/m)
})

test('the first digits are enough to name a session, if they name only one', async (t) => {
  const dir = tempDir(t)
  const [one, other] = ['abcdef1', 'abcdef2'].map((start) => start.padEnd(64, '0')) as [string, string]
  await seed(fileStore({ dir }), [{ id: one }, { id: other }])
  t.regex((await runCommand(['show', 'abcdef1', '--store', `file:${dir}`])).stdout, new RegExp(`^id: +${one}$`, 'm'))
  const ambiguous = await runCommand(['show', 'abcdef', '--store', `file:${dir}`])
  t.is(ambiguous.status, 1)
  t.regex(ambiguous.stderr, /more than one session has an ID that begins with abcdef: pass more digits/)
  const missing = await runCommand(['show', '123456', '--store', `file:${dir}`])
  t.is(missing.status, 1)
  t.regex(missing.stderr, /there is no session 123456 in file:/)
})

test('show follows a session to its new sid', async (t) => {
  const dir = tempDir(t)
  const next = sessionOf()
  const [, marker] = await seed(fileStore({ dir }), [next, { moved: true, movedTo: next.id, data: {} }])
  t.regex((await runCommand(['show', marker!.id, '--store', `file:${dir}`])).stdout, new RegExp(`^id: +${next.id}$`, 'm'))
})

test('no output of any command contains a sid, a cookie or a key', async (t) => {
  const dir = tempDir(t)
  const { client } = await startStory(t, { '/login': (ctx) => ctx.session.loginAs('17'), '/renew': (ctx) => ctx.session.regenerate() }, { store: fileStore({ dir }), now: Date.now })
  const cookies: string[] = []
  for (const path of ['/login', '/renew', '/renew']) {
    await client.get(path)
    cookies.push(client.cookie('session')!)
  }
  const on = ['--store', `file:${dir}`]
  const { id } = JSON.parse((await runCommand(['list', '--json', ...on])).stdout) as { id: string }
  const commands = [['list', ...on], ['list', '--json', ...on], ['show', id, ...on], ['show', '--json', id, ...on], ['check', ...on], ['copy', `file:${dir}`, `file:${dir}/copy`], ['prune', '--yes', ...on], ['end', id, '--yes', ...on]]
  for (const args of commands) {
    const { status, stdout, stderr } = await runCommand(args)
    t.is(status, 0, args[0])
    for (const word of [secret, ...cookies.flatMap((cookie) => cookie.split('.'))]) t.false((stdout + stderr).includes(word), args[0])
  }
})

test('the command never repeats what may be a sid, wherever somebody types one', async (t) => {
  const dir = tempDir(t)
  await seed(fileStore({ dir }), [{}])
  const sid = 'Zq3Zq3Zq3Zq3Zq3Zq3Zq3Zq3Zq3Zq3Zq3Zq3Zq3Zq3Z'
  t.is(sid.length, 43)
  const store = ['--store', `file:${dir}`]
  for (const args of [['show', sid, ...store], ['end', sid, '--yes', ...store], [sid], ['list', sid, ...store], [`--${sid}`], ['list', '--store', sid], ['copy', sid, sid]]) {
    const { status, stdout, stderr } = await runCommand(args)
    t.is(status, 1)
    t.not(stderr, '')
    t.false((stdout + stderr).includes(sid), args[0])
  }
})
