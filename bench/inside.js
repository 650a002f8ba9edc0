/**
 * Measures what a session costs inside the server's process: requests come from the process itself, and Redis is a map in it. bench.js measures
 * whole servers, whose figures a busy machine makes differ by half. Here those of two runs differ by a few percent (with files, by more), so
 * that a change of a tenth can be seen.
 *
 *   node inside.js                the cost of koa-keepsake, koa-session and the floor in memory, files and Redis
 *     --stores memory,redis       only these
 *     --rounds 20                 for figures that are steadier
 *     --dist directory            another build of koa-keepsake
 *     --earlier directory         an earlier build of koa-keepsake beside that one
 *     --dir directory             where files are kept: by default the system's temporary directory
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { shuffled } from './measure.js'
import { startServer, stepAside } from './process.js'
import { kindNames } from './report.js'
import { median } from './summary.js'
import { variants } from './variants/index.js'
import { kinds } from './work.js'

const { values: flags } = parseArgs({
  options: {
    stores: { type: 'string', default: 'memory,file,redis' },
    rounds: { type: 'string', default: '10' },
    dist: { type: 'string', default: fileURLToPath(new URL('../dist', import.meta.url)) },
    earlier: { type: 'string' },
    dir: { type: 'string', default: tmpdir() }
  }
})

const known = ['memory', 'file', 'redis']

const sessions = 500
const requests = 4000
const newSessions = 1000
/** How many windows of each kind come first, so that the process has compiled what it runs. */
const warmUps = 5

/** The kinds of request that the tables show. */
const columns = ['untouched', 'read', 'write', 'new']

stepAside()
const stores = flags.stores.split(',')
for (const store of stores) if (!known.includes(store)) throw new Error(`--stores ${store}: expected some of ${known.join(',')}`)
for (const store of stores) process.stdout.write(tableOf(store, await measure(store)))
process.exit()

/** By variant and kind of request, the CPU times of the windows in µs for each request. Windows of one round were measured side by side. */
async function measure(store) {
  const labels = ['floor', 'koa-keepsake', 'koa-session', ...(flags.earlier ? ['earlier'] : [])]
  const dir = await mkdtemp(join(flags.dir, 'bench-inside-'))
  const servers = []
  try {
    for (const name of ['koa', ...labels.map((label) => `${store}/${label}`)]) {
      const settings = variants[name].settings?.({ earlier: flags.earlier && resolve(flags.earlier) })
      // No eviction, however many rounds.
      const storeOptions = store === 'file' ? { threshold: 0 } : undefined
      const own = await mkdtemp(join(dir, 'sessions-'))
      const server = await startServer(name, { isInside: true, storeOptions, dir: own, dist: resolve(flags.dist), ...settings })
      servers.push({ label: name.replace(`${store}/`, ''), server, times: Object.fromEntries(kinds.map((kind) => [kind, []])) })
      await server.tell('openInside', sessions)
    }
    for (let round = -warmUps; round < Number(flags.rounds); round++) {
      for (const kind of kinds) {
        for (const { server, times } of shuffled(servers)) {
          const time = await server.tell('inside', { kind, count: kind === 'new' ? newSessions : requests })
          if (round >= 0) times[kind].push(time)
        }
      }
    }
    return Object.fromEntries(servers.map(({ label, times }) => [label, times]))
  } finally {
    for (const { server } of servers) await server.stop()
    await rm(dir, { recursive: true })
  }
}

function tableOf(store, { koa, ...measured }) {
  const rows = Object.entries(measured).map(([label, times]) => {
    const cells = columns.map((kind) => {
      const over = (list) => median(list[kind].map((time, round) => time - koa[kind][round]))
      const cost = over(times)
      const shown = cost.toFixed(1)
      return label === 'koa-session' ? shown : `${shown} (${(cost / over(measured['koa-session'])).toFixed(2)})`
    })
    return `| ${[label, ...cells].join(' | ')} |`
  })
  return [
    `\n## ${store}: CPU µs for each request above bare Koa (of koa-session)\n`,
    `| | ${columns.map((kind) => kindNames[kind]).join(' | ')} |`,
    `| --- |${' ---: |'.repeat(columns.length)}`,
    ...rows,
    ''
  ].join('\n')
}
