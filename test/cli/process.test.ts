import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { fileStore, storeFromUrl } from '../../src/index.js'
import { needsTerminal, runCommand, runInTerminal, runProcess, runWithClosed } from '../support/cli.js'
import { contentsOf, seed } from '../support/cli-sessions.js'
import { tempDir } from '../support/files.js'
import { runTypeScript } from '../support/typescript/option.js'

// The command as a process of its own: in a real terminal, in a pipe, and beside the application that does not load it.

const root = join(import.meta.dirname, '../..')
const terminal = needsTerminal(test)

terminal('in a terminal, end shows the sessions, asks, and ends them after a yes', async (t) => {
  const dir = tempDir(t)
  const store = fileStore({ dir })
  const [record] = await seed(store, [{ owner: '17' }, {}])
  const no = await runInTerminal(['end', record!.id, '--store', `file:${dir}`], 'n\n')
  t.is(no.status, 1, no.screen)
  t.regex(no.screen, /Nothing was changed\./)
  t.is((await contentsOf(store)).size, 2)
  const yes = await runInTerminal(['end', record!.id, '--store', `file:${dir}`], 'y\n')
  t.is(yes.status, 0, yes.screen)
  t.regex(yes.screen, /Go on\? \[y\/N\] y\n/)
  t.regex(yes.screen, /^ended 1 session$/m)
  for (const line of yes.screen.split('\n').filter((each) => each.startsWith(record!.id.slice(0, 12)))) t.true(line.length <= 80)
  t.is((await contentsOf(store)).size, 1)
})

terminal('in a terminal, Ctrl+D is a no', async (t) => {
  const dir = tempDir(t)
  const store = fileStore({ dir })
  await seed(store, [{}])
  const { status, screen } = await runInTerminal(['prune', '--store', `file:${dir}`], '\u0004')
  t.is(status, 1, screen)
  t.regex(screen, /Nothing was changed\./)
})

terminal('in a terminal, copy shows a bar of at most 80 columns, and the counts', async (t) => {
  const dir = tempDir(t)
  await seed(fileStore({ dir }), Array.from({ length: 40 }, () => ({})))
  const { status, screen } = await runInTerminal(['copy', `file:${dir}`, `file:${dir}/copy`])
  t.is(status, 0, screen)
  t.regex(screen, /█+░* \d+% \| \d+ of 40 \|/)
  t.regex(screen, /100% \| 40 of 40/)
  t.regex(screen, /^copied +40 /m)
})

test('in a pipe, copy prints a line a second and no sequence that controls a terminal', async (t) => {
  const dir = tempDir(t)
  const [source, target] = [`file:${dir}`, `file:${dir}/copy`]
  await seed(fileStore({ dir }), Array.from({ length: 40 }, () => ({})))
  const { status, stdout, stderr } = await runCommand(['copy', source, target])
  t.is(status, 0)
  t.regex(stderr, /^looked at 0 sessions, .*\n(?:looked at \d+ sessions, .*\n)*looked at 40 sessions, .*\n\n0 of 40 sessions, .*\n(?:\d+ of 40 sessions, .*\n)*40 of 40 sessions, .*\n/)
  // eslint-disable-next-line no-control-regex
  t.notRegex(stdout + stderr, /\u001B/)
  const again = await runProcess(['copy', source, target])
  t.deepEqual([again.status, again.stdout], [0, (await runCommand(['copy', source, target])).stdout])
})

test('a reader that closes the pipe early ends list without an error', async (t) => {
  const dir = tempDir(t)
  await seed(fileStore({ dir, threshold: 0 }), Array.from({ length: 500 }, () => ({ owner: 'x'.repeat(250) })))
  const line = `'${process.execPath}' ${runTypeScript} '${join(root, 'src/cli/bin.ts')}' list --json --store 'file:${dir}' | head -1`
  const { stdout, stderr } = await promisify(execFile)('sh', ['-c', line], { cwd: root })
  t.is(stdout.trimEnd().split('\n').length, 1)
  t.notRegex(stderr, /EPIPE/)
})

test('a reader that closes a pipe early changes neither what a command does nor its status', async (t) => {
  const [dir, target] = [tempDir(t), tempDir(t)]
  await seed(fileStore({ dir, threshold: 0 }), Array.from({ length: 100 }, () => ({})))
  writeFileSync(join(dir, `session%3a${'a'.repeat(64)}.json`), 'no record')
  for (const closed of ['stdout', 'stderr'] as const) {
    const status = await runWithClosed(closed, ['copy', `file:${dir}`, `file:${target}/${closed}`])
    t.is(status, 1, `${closed}: a session was left out`)
    t.is((await contentsOf(fileStore({ dir: `${target}/${closed}` }))).size, 100, closed)
    writeFileSync(join(dir, `session%3a${'a'.repeat(64)}.json`), 'no record')
  }
  t.is(await runWithClosed('stdout', ['check', '--store', `file:${dir}`]), 1, 'check has found a problem')
  t.is(await runWithClosed('stdout', ['list', '--store', `file:${dir}`]), 0)
})

test('the middleware, the stores and the other entry points load none of the libraries of the command', async (t) => {
  const entries = ['index', 'store/index', 'testing/index', 'migrating/index'].map((entry) => `import ${JSON.stringify(join(root, 'src', `${entry}.ts`))}`)
  const loaded = (code: string) => `${code}; import { createRequire } from 'node:module'; console.log(Object.keys(createRequire('${root}/').cache).filter((path) => /commander|cli-table3|cli-progress/.test(path)).length)`
  const count = async (code: string) => {
    const { stdout } = await promisify(execFile)(process.execPath, [runTypeScript, '--input-type=module', '-e', loaded(code)], { cwd: root })
    return Number(stdout)
  }
  t.is(await count(entries.join(';')), 0)
  t.true((await count(`import ${JSON.stringify(join(root, 'src/cli/index.ts'))}`)) >= 3, 'the test would see them')
})

test('no other room imports the command or its libraries', (t) => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts') && !name.startsWith('cli'))
  for (const file of files) t.notRegex(readFileSync(join(root, 'src', file), 'utf8'), /from '(?:commander|cli-table3|cli-progress|[./]*\/cli\/[^']*)'/, file)
})

test('the package has the command as a program, which the build contains', (t) => {
  const { bin, files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { bin: unknown; files: string[] }
  t.deepEqual(bin, { 'koa-keepsake': './dist/cli/bin.js' })
  t.true(files.includes('dist'))
  t.regex(readFileSync(join(root, 'src/cli/bin.ts'), 'utf8'), /^#!\/usr\/bin\/env node\n/)
})

test('a wrong subcommand, option or URL is an error with the status 1, and help has the status 0', async (t) => {
  for (const args of [['lst'], ['list', '--stor', 'x'], ['show'], ['copy', 'file:x'], ['list', '--store', 'https://example.com'], ['list', '--store', 'redis://user:hunter2@local host']]) {
    const { status, stderr } = await runCommand(args)
    t.is(status, 1, args.join(' '))
    t.regex(stderr, /^(?:error|koa-keepsake): /)
    t.notRegex(stderr, /hunter2| {4}at /)
  }
  const { status, stdout } = await runCommand(['--help'])
  t.is(status, 0)
  t.regex(stdout, /list.*show.*end.*prune.*copy.*check/s)
  t.true(stdout.endsWith('\n'))
})

test('copy refuses a source and a target that are the same, and --delete from a source without sessions', async (t) => {
  const dir = tempDir(t)
  const store = storeFromUrl(`file:${dir}/full`)
  t.teardown(() => store.close!())
  await seed(store, [{}])
  t.regex((await runCommand(['copy', `file:${dir}/full`, `file:${dir}/full`])).stderr, /FROM and TO are the same store/)
  await runCommand(['copy', `file:${dir}/full`, `file:${dir}/copy`])
  const refused = await runCommand(['copy', `file:${dir}`, `file:${dir}/copy`, '--delete', '--yes'])
  t.is(refused.status, 1)
  t.regex(refused.stderr, /has no sessions, so --delete would remove every copy from/)
  t.is((await runCommand(['list', '--store', `file:${dir}/copy`])).stdout.trimEnd().split('\n').length, 2)
})

test('copy --delete asks before it removes anything, and says how many sessions', async (t) => {
  const dir = tempDir(t)
  const [source, target] = [`file:${dir}/source`, `file:${dir}/target`]
  const store = storeFromUrl(source)
  t.teardown(() => store.close!())
  const records = await seed(store, [{}, {}, {}])
  await runCommand(['copy', source, target])
  await store.destroy(records[0]!.id)
  const no = await runCommand(['copy', source, target, '--delete'], { input: 'n\n' })
  t.is(no.status, 1)
  t.regex(no.stderr, /This removes 1 session from .*target: earlier copies, whose sessions have ended in .*source\. Then it copies 2 sessions\.\nGo on\? \[y\/N\]/)
  t.regex((await runCommand(['copy', source, target, '--delete', '--dry-run'])).stdout, /^removed +1 /m)
  t.regex((await runCommand(['list', '--store', target])).stderr, /^3 sessions/)
  t.is((await runCommand(['copy', source, target, '--delete'], { input: 'y\n' })).status, 0)
  t.regex((await runCommand(['list', '--store', target])).stderr, /^2 sessions/)
})

// The command listens for `corrupt` events, which the two tests would publish for each other.
test.serial('copy leaves out what is not a session, names it and exits with 1', async (t) => {
  const dir = tempDir(t)
  const store = storeFromUrl(`sqlite:${dir}/sessions.db`)
  const [, torn] = await seed(store, [{}, {}])
  await store.close!()
  const { default: Database } = await import('better-sqlite3')
  const database = new Database(`${dir}/sessions.db`)
  database.prepare('update sessions set record = ? where id = ?').run('{"rev":1', `session:${torn!.id}`)
  database.close()
  const { status, stdout, stderr } = await runCommand(['copy', `sqlite:${dir}/sessions.db`, `file:${dir}/copy`])
  t.is(status, 1)
  t.regex(stderr, new RegExp(`^left out ${torn!.id.slice(0, 12)}: the source has something under its id that is not a session: it is not JSON$`, 'm'))
  t.regex(stdout, /^copied +1 .*\n(?:.*\n)*left out +1 +see above$/m)
  const back = await runCommand(['copy', `file:${dir}/copy`, `sqlite:${dir}/sessions.db`])
  t.is(back.status, 0, 'what is wrong in the target only is not left out')
  const checked = await runCommand(['check', '--store', `sqlite:${dir}/sessions.db`])
  t.is(checked.status, 1)
  t.regex(checked.stdout, new RegExp(`^corrupt   ${torn!.id}: it is not JSON$`, 'm'))
})

test.serial('copy leaves a session out when the target has something else under its id, and does not replace that', async (t) => {
  const dir = tempDir(t)
  const [source, target] = [`file:${dir}`, `sqlite:${dir}/sessions.db`]
  const store = fileStore({ dir })
  t.teardown(() => store.close!())
  const [record] = await seed(store, [{}, {}])
  await runCommand(['copy', source, target])
  const { default: Database } = await import('better-sqlite3')
  const database = new Database(`${dir}/sessions.db`)
  t.teardown(() => database.close())
  database.prepare('update sessions set record = ? where id = ?').run('not a record', `session:${record!.id}`)
  const { status, stderr } = await runCommand(['copy', source, target, '--delete', '--restore', '--yes'])
  t.is(status, 1)
  t.regex(stderr, new RegExp(`^left out ${record!.id.slice(0, 12)}: the target has something under its id that is not a session: run check on the target$`, 'm'))
  t.deepEqual(database.prepare('select record from sessions where id = ?').get(`session:${record!.id}`), { record: 'not a record' })
})
