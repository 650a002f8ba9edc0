import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { needsRedis } from '../support/redis.js'
import { readPage, root } from './snippets.js'
import { runTypeScript } from '../support/typescript/option.js'

// The tables of docs/scale.md are what bench/scale.js prints.

const page = readPage('docs/scale.md')
const earlier = ['--from', 'bench/scale.json', '--print']

test('every table of the page follows from the measurements and the assumptions', async (t) => {
  const { stdout } = await scale(...earlier)
  const parts = Array.from(page.matchAll(/<!-- printed: ([\w-]+) -->\n\n([^]*?)\n\n<!-- end -->/g), ([, name, text]) => [name!, text!] as const)
  t.deepEqual(parts.map(([name]) => name), ['machine', 'bytes', 'commands', 'costs', 'assumptions', 'redis-cluster', 'postgresql', 'limits'])
  for (const [name, text] of parts) t.true(stdout.includes(`\n${name}\n\n${text}\n`), `${name}: run node bench/scale.js --from bench/scale.json`)
})

test('other assumptions give other tables: with twice as many sessions in use, there are twice as many requests', async (t) => {
  t.is(await requestsPerSecond(), '2,000')
  t.is(await requestsPerSecond('--active', '0.04'), '4,000')
})

test('an assumption that is no number above 0 is refused', async (t) => {
  for (const value of ['0', '-1', 'many']) {
    const error = await t.throwsAsync(scale(...earlier, `--active=${value}`))
    t.regex((error as Error & { stderr: string }).stderr, /--active must be a number above 0/)
  }
})

needsRedis(test)('the commands that the page names are those that Redis and SQLite get', async (t) => {
  t.timeout(300_000)
  const { stdout } = await scale('--dist', 'src', '--stores', 'redis,sqlite', '--records', '100', '--print')
  for (const store of ['Redis', 'SQLite']) {
    const row = new RegExp(`^\\| ${store} \\| none \\| .*\\|$`, 'm')
    t.is(always(row.exec(stdout)?.[0]), always(row.exec(page)?.[0]))
  }
})

/** The commands of a row that are sent each time: the list of an owner lives longer (PEXPIRE) only for logins of a later millisecond. */
function always(row: string | undefined): string | undefined {
  return row?.replaceAll('PEXPIRE, ', '')
}

async function requestsPerSecond(...args: string[]): Promise<string | undefined> {
  const { stdout } = await scale(...earlier, '--sessions', '1000000', ...args)
  return /^\| requests per second \| ([\d,]+) \|$/m.exec(stdout)?.[1]
}

function scale(...args: string[]): Promise<{ stdout: string }> {
  // The sources can be measured without building them.
  const loader = args.includes('src') ? [runTypeScript] : []
  return promisify(execFile)(process.execPath, [...loader, 'bench/scale.js', ...args], { cwd: fileURLToPath(root) })
}
