import test from 'ava'
import { fileStore } from '../../src/index.js'
import { runCommand } from '../support/cli.js'
import { seed } from '../support/cli-sessions.js'
import { tempDir } from '../support/files.js'

const title = /^ID +USED \(UTC\) +EXPIRES \(UTC\) +SIZE +OWNER$/

test('list shows the most recently used session first, each with its whole id in a pipe', async (t) => {
  const dir = tempDir(t)
  const records = await seed(fileStore({ dir }), [{ owner: '17' }, {}, { owner: 'momo@example.com' }])
  const { status, stdout, stderr } = await runCommand(['list', '--store', `file:${dir}`])
  const [head, ...lines] = stdout.trimEnd().split('\n')
  t.is(status, 0)
  t.regex(head!, title)
  t.deepEqual(lines.map((line) => line.split(/ {2,}/)[0]), records.toReversed().map(({ id }) => id))
  t.deepEqual(lines.map((line) => line.split(/ {2,}/).at(-1)), ['momo@example.com', '-', '17'])
  t.regex(lines[0]!, / 2\d{2} B /)
  t.regex(stderr, /^3 sessions, \d+ B\n$/)
})

for (const columns of [40, 60, 80, 132]) {
  test(`list fits a terminal of ${columns} columns, whatever the owners are called`, async (t) => {
    const dir = tempDir(t)
    const records = await seed(fileStore({ dir }), [{ owner: 'a'.repeat(200) }, { owner: '漢'.repeat(100) }, { owner: 'x' }, {}])
    const { stdout } = await runCommand(['list', '--store', `file:${dir}`], { columns })
    const lines = stdout.trimEnd().split('\n')
    t.is(lines.length, 5)
    for (const line of lines) t.true(widthOf(line) <= columns, line)
    t.deepEqual(lines.slice(1).map((line) => line.slice(0, 12)), records.toReversed().map(({ id }) => id.slice(0, 12)))
    if (columns === 132) t.is(lines[1]!.slice(0, 64), records[3]!.id)
    if (columns >= 80) t.regex(lines[0]!, title)
  })
}

test('list fits 80 columns in a terminal that does not say how wide it is', async (t) => {
  const dir = tempDir(t)
  await seed(fileStore({ dir }), [{ owner: 'a'.repeat(200) }])
  const { stdout } = await runCommand(['list', '--store', `file:${dir}`], { columns: 0 })
  t.deepEqual(stdout.trimEnd().split('\n').map((line) => line.length <= 80), [true, true])
})

test('list --owner shows only the sessions of that user', async (t) => {
  const dir = tempDir(t)
  const records = await seed(fileStore({ dir }), [{ owner: '17' }, { owner: '18' }, { owner: '17' }, {}])
  const { stdout } = await runCommand(['list', '--owner', '17', '--json', '--store', `file:${dir}`])
  t.deepEqual(stdout.trimEnd().split('\n').map((line) => (JSON.parse(line) as { id: string }).id), [records[2]!.id, records[0]!.id])
})

test('list --json prints one object a line', async (t) => {
  const dir = tempDir(t)
  const [, record] = await seed(fileStore({ dir }), [{}, { owner: '17', permanent: true }])
  const { stdout } = await runCommand(['list', '--json', '--store', `file:${dir}`], { columns: 80 })
  const [first, second] = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
  const { id, created, used, expires } = record!
  const [createdAt, usedAt, expiresAt] = [created, used, expires].map((time) => new Date(time).toISOString())
  t.deepEqual(first, { id, owner: '17', createdAt, usedAt, expiresAt, permanent: true, bytes: Buffer.byteLength(JSON.stringify(record)) })
  t.false('owner' in second!)
})

test('an owner cannot control the terminal or hide text in a line', async (t) => {
  const dir = tempDir(t)
  const owner = 'a\u001B[2J\u009B1m\nb\u202Ec\u{E0041}d'
  const [record] = await seed(fileStore({ dir }), [{ owner }])
  for (const columns of [80, 200, undefined]) {
    const { stdout } = await runCommand(['list', '--store', `file:${dir}`], columns === undefined ? {} : { columns })
    t.notRegex(stdout.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u)
    t.is(stdout.trimEnd().split('\n').length, 2)
  }
  const { stdout } = await runCommand(['list', '--json', '--store', `file:${dir}`])
  t.notRegex(stdout.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u)
  t.is((JSON.parse(stdout) as { owner: string }).owner, owner)
  const shown = await runCommand(['show', record!.id, '--store', `file:${dir}`])
  t.notRegex(shown.stdout.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u)
})

test('list shows no session that has expired, and says so when there is none', async (t) => {
  const dir = tempDir(t)
  await seed(fileStore({ dir }), [{ expires: Date.now() - 1 }])
  const { status, stdout, stderr } = await runCommand(['list', '--store', `file:${dir}`])
  t.deepEqual([status, stdout, stderr], [0, '', `file:${dir} has no sessions.\n`])
})

test('thousands of sessions are listed in one table, whose columns are aligned', async (t) => {
  const dir = tempDir(t)
  await seed(fileStore({ dir }), Array.from({ length: 1200 }, (_, at) => ({ owner: 'u'.repeat(1 + (at % 30)) })))
  const { stdout } = await runCommand(['list', '--store', `file:${dir}`])
  const lines = stdout.trimEnd().split('\n')
  t.is(lines.length, 1201)
  const start = lines[0]!.indexOf('OWNER')
  for (const line of lines.slice(1)) t.regex(line.slice(start - 2), /^ {2}u+$/)
})

/** The width of a line in a terminal, where Chinese characters take two columns. */
function widthOf(line: string): number {
  return Array.from(line).reduce((sum, character) => sum + (character === '漢' ? 2 : 1), 0)
}
