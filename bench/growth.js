/**
 * How the cost of a session grows. Needs the built package, redis-server, and for a million files 5 GB of disk.
 *
 *   node growth.js                 the table, written to growth.md as well
 *     --quick                      small numbers, nothing written
 *     --only files|sizes|sessions|keys
 *     --records 1000,100000,1000000
 *     --rounds 9                   for figures that are steadier
 *     --json file, --dist directory, --dir directory: as for bench.js
 */
import { execFile, execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdtemp, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { serverVersions } from './backends.js'
import { measure } from './measure.js'
import { onServerCore, stepAside } from './process.js'
import { table } from './report.js'
import { environment, median } from './summary.js'
import { secret } from './work.js'

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '.' },
    records: { type: 'string' },
    rounds: { type: 'string' },
    json: { type: 'string' },
    dist: { type: 'string', default: fileURLToPath(new URL('../dist', import.meta.url)) },
    dir: { type: 'string', default: tmpdir() }
  }
})
const { quick, dir } = flags
const dist = resolve(flags.dist)
const rounds = Number(flags.rounds ?? (quick ? 1 : 3))
const plan = { warmUp: quick ? 2000 : 5000, requests: quick ? 1500 : 10_000, seconds: quick ? 0.5 : 1, sessions: 500, connections: 32, dir }
const run = promisify(execFile)

stepAside()
const rows = []
if (wants('files')) await files((flags.records ?? (quick ? '1000,10000' : '1000,100000,1000000')).split(',').map(Number))
if (wants('sizes')) await sizes([1, 10, 100])
if (wants('sessions')) await sessionsAtOnce([1, 10, 100, 1000])
if (wants('keys')) await keys([1, 2, 5])
process.stderr.write('\n')

const { versions, ...machine } = await environment(serverVersions(['redis']), dir)
const markdown = [
  '# How the cost of a session grows',
  '',
  'CPU µs of the server process, threads included. In the rows about records: per call of the store, 16 in flight, the time of a',
  'sweep beside it; “at the threshold” is a new session in a full store, with its share of the evictions that make room. In all other',
  `rows: per request above bare Koa, ${plan.connections} connections, median of ${rounds} rounds.`,
  '',
  `${machine.cpu}, ${machine.cores} cores, ${machine.system}, files on ${machine.files}; Node.js ${versions.node}, redis-server ${versions['redis-server']}, koa-keepsake ${versions['koa-keepsake']}.`,
  '',
  ...table(['what grows', 'to', 'where', 'read', 'write', 'new', 'besides'], rows),
  ''
].join('\n')
process.stdout.write(markdown)
if (flags.json) await writeFile(flags.json, `${JSON.stringify(rows, null, 2)}\n`)
if (!quick && flags.only === '.') await writeFile(new URL('growth.md', import.meta.url), markdown)

function wants(part) {
  return new RegExp(flags.only).test(part)
}

/** The file store with more and more records. */
async function files(counts) {
  for (const count of counts) {
    const { bavail, bsize, ffree } = await statfs(dir)
    // A small file takes a block; with a tenth more for what is created.
    if (bavail * bsize < count * 4096 * 1.5 || ffree < count * 1.5) {
      rows.push(['records', count.toLocaleString('en'), 'files', '', '', '', 'not measured: too little disk'])
      continue
    }
    progress(`${count} files`)
    const parent = await mkdtemp(join(dir, 'bench-growth-'))
    try {
      const settings = { dir: join(parent, 'sessions'), dist, count, calls: quick ? 1000 : 5000 }
      const [program, ...args] = onServerCore('growth-files.js', JSON.stringify(settings))
      const { read, readUncached, write, create, createAtThreshold, start, sweep } = JSON.parse((await run(program, args)).stdout)
      const besides =
        `a read that the cache does not answer ${readUncached.toFixed(0)}; ` +
        `at the threshold ${createAtThreshold.cpu.toFixed(0)} (event loop held ${createAtThreshold.longest.toFixed(0)} ms at most); ` +
        `sweep ${milliseconds(sweep.wall)} (event loop ${sweep.longest.toFixed(0)} ms); first answer after ${milliseconds(start)}`
      rows.push(['records', count.toLocaleString('en'), 'files', read.toFixed(0), write.toFixed(0), create.toFixed(0), besides])
    } finally {
      // Half as long as fs.rm for a million files.
      execFileSync('rm', ['-rf', parent])
    }
  }
}

/** Larger sessions, of which one key is read or written. */
async function sizes(kilobytes) {
  // Larger than what koa-keepsake takes by default.
  const options = { maxBytes: 2 ** 20 }
  for (const size of kilobytes) {
    for (const name of ['memory/floor', 'memory/koa-keepsake', 'file/floor', 'file/koa-keepsake', 'redis/floor', 'redis/koa-keepsake']) {
      const costs = await overKoa(name, { settings: { dist, options, sessionBytes: size * 1000 }, sessions: 100 })
      rows.push(['size of a session', `${size} KB`, name, costs.read, costs.write, '', ''])
    }
  }
}

/** The same load on fewer and on more sessions: on one, all 32 connections read and write the same. */
async function sessionsAtOnce(counts) {
  for (const count of counts) {
    for (const name of ['memory/koa-keepsake', 'file/koa-keepsake', 'redis/koa-keepsake']) {
      const costs = await overKoa(name, { settings: { dist }, sessions: count })
      rows.push(['sessions at once', String(count), name, costs.read, costs.write, '', ''])
    }
  }
}

/** Cookies signed by the oldest key, from clients that do not keep the new cookie that each answer brings. */
async function keys(counts) {
  for (const count of counts) {
    const options = { keys: Array.from({ length: count }, (_, at) => `${secret}-${count - at}`) }
    const oldest = options.keys.at(-1)
    const name = 'memory/koa-keepsake'
    const costs = await overKoa(name, { settings: { dist, options }, cookiesFrom: (header) => signedBy(oldest, header), kinds: ['read'] })
    rows.push(['keys in rotation', String(count), name, costs.read, '', '', count === 1 ? 'signed by the newest' : 'signed by the oldest, issued again each time'])
  }
}

/** As src/cookie/token.ts signs. */
function signedBy(key, header) {
  const [, sid] = /session=([^.]+)/.exec(header)
  return `Cookie: session=${sid}.${createHmac('sha256', key).update(`koa-keepsake session\nsession\n${sid}`).digest('base64url')}\r\n`
}

/** The median over rounds of what each kind of request costs over bare Koa. */
async function overKoa(name, { kinds = ['read', 'write'], sessions = plan.sessions, ...rest }) {
  const costs = Object.fromEntries(kinds.map((kind) => [kind, []]))
  for (let round = 1; round <= rounds; round++) {
    progress(`${name}, round ${round}`)
    const { koa, [name]: own } = await measure(['koa', name], { ...plan, ...rest, sessions, kinds })
    // Writers of one session overwrite each other's number when there are fewer sessions than connections.
    if (own.lost > 0 && sessions >= plan.connections) throw new Error(`${name} lost ${own.lost} writes`)
    for (const kind of kinds) costs[kind].push(own[kind].cpu - koa[kind].cpu)
  }
  return Object.fromEntries(kinds.map((kind) => [kind, median(costs[kind]).toFixed(1)]))
}

function milliseconds(time) {
  return time < 1000 ? `${time.toFixed(1)} ms` : `${(time / 1000).toFixed(1)} s`
}

function progress(text) {
  process.stderr.write(`\r${text.padEnd(50)}`)
}
