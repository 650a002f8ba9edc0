import { readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { pinning } from './process.js'
import { variants } from './variants/index.js'
import { kinds } from './work.js'

const stores = { memory: 'Memory', file: 'Files', redis: 'Redis', cookie: 'Signed cookie' }
const kindNames = {
  none: 'no cookie',
  untouched: 'cookie, session untouched',
  read: 'read one key',
  write: 'write one key',
  new: 'new session'
}

/** The targets, as the most that koa-keepsake may cost of what koa-session and of what the floor costs. */
const targets = {
  untouched: { memory: 0.2, redis: 0.5, file: 0.45, floor: 1.15 },
  read: { memory: 0.2, redis: 0.5, file: 0.45, floor: 1.15 },
  write: { memory: 0.35, redis: 0.55, file: 1, floor: 1.3 },
  new: { memory: 1, redis: 1, file: 0.8, floor: 1.15 }
}
const targetWithoutCookie = 2

/** Where it was measured: no host name, no paths. */
export async function environment(redisVersion, dir) {
  const all = cpus()
  const peers = Object.keys(packageIn('.').dependencies)
  return {
    cpu: all[0].model.trim(),
    cores: all.length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${process.platform} ${release()}`,
    files: await fileSystemOf(dir),
    pinning,
    versions: {
      node: process.versions.node,
      'redis-server': redisVersion,
      'koa-keepsake': packageIn('..').version,
      ...Object.fromEntries(peers.map((name) => [name, packageIn(`node_modules/${name}`).version]))
    }
  }
}

// Linux' magic numbers (statfs(2)) of the file systems that one meets.
const fileSystems = { 0xef53: 'ext4', 0x01021994: 'tmpfs', 0x58465342: 'xfs', 0x9123683e: 'btrfs', 0x794c7630: 'overlayfs' }

async function fileSystemOf(dir) {
  const { type } = await statfs(dir)
  return fileSystems[type] ?? `file system 0x${type.toString(16)}`
}

function packageIn(directory) {
  return JSON.parse(readFileSync(new URL(`${directory}/package.json`, import.meta.url), 'utf8'))
}

/**
 * The medians over the rounds, in each of which a variant has one result or more. `over` is the CPU above the bare
 * framework in the same round, or of a bare framework its own; `lost` is how many writes were not there at the end.
 */
export function summarize(rounds) {
  return Object.fromEntries(
    Object.keys(rounds[0]).map((name) => {
      const { bare } = variants[name]
      const all = rounds.flatMap((round) => round[name])
      const perKind = kinds.map((kind) => {
        const cpuOf = (round, of) => median(round[of].map((result) => result[kind].cpu))
        const over = rounds.map((round) => cpuOf(round, name) - (bare ? cpuOf(round, bare) : 0))
        return [kind, { over: median(over), spread: spread(over), perSecond: median(all.map((result) => result[kind].perSecond)) }]
      })
      const memory = median(all.map((result) => result.memory)) / 2 ** 20
      const lost = all.reduce((sum, result) => sum + (result.lost ?? 0), 0)
      return [name, { ...Object.fromEntries(perKind), memory, lost }]
    })
  )
}

export function median(list) {
  return quantile(list, 0.5)
}

export function table(head, rows) {
  return [head, head.map((_, column) => (column === 0 ? '---' : '---:')), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
}

export function report({ environment: { versions, ...machine }, plan, variants: results }) {
  const names = Object.keys(results)
  const lines = [
    '# What a session costs',
    '',
    `Server CPU µs per request above the bare framework, threads included: median of ${plan.rounds} interleaved rounds, each with a`,
    `fresh process, two times ${plan.warmUp} requests of each kind to warm up, then as many as fit ${plan.seconds} s and at most`,
    `${plan.requests}; of new sessions ${100 * plan.newShare} % of both numbers, so that no store is full. ${plan.connections} connections, ${plan.sessions} sessions of`,
    '584 bytes as JSON. The spread in brackets is half the distance between the quartiles.',
    '',
    `${machine.cpu}, ${machine.cores} cores, ${machine.memory}, ${machine.system}, files on ${machine.files}; ${machine.pinning}.`,
    '',
    Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', '),
    ''
  ]

  const ratios = ratioRows(results)
  if (ratios.length > 0) {
    lines.push('## Against the targets', '', ...table(['store', 'request', 'of koa-session', 'target', 'of the floor', 'target'], ratios), '')
  }

  lines.push('## The bare frameworks: CPU µs per request', '')
  const bare = names.filter((name) => !variants[name].bare)
  lines.push(...table(['', ...kinds.map((kind) => kindNames[kind]), 'requests/s', 'memory MiB'], bare.map((name) => row(name, results[name]))), '')

  for (const [store, title] of Object.entries(stores)) {
    const rows = names.filter((name) => variants[name].store === store)
    if (rows.length === 0) continue
    rows.sort(byVariantOrder)
    lines.push(`## ${title}: CPU µs per request above the bare framework`, '')
    lines.push(...table(['', ...kinds.map((kind) => kindNames[kind]), 'reads/s', 'memory MiB'], rows.map((name) => row(variants[name].label, results[name]))), '')
    for (const name of rows.filter((each) => results[each].lost > 0)) {
      lines.push(`${variants[name].label} lost ${results[name].lost} writes.`, '')
    }
  }

  lines.push(...differences)
  return `${lines.join('\n')}\n`
}

const differences = [
  '## What is the same and what is not',
  '',
  '- Every variant runs the same handlers and answers the same bodies; every write is counted and looked for at the end.',
  '- **floor** is the least hand-written Koa middleware with the same input and output: one signed cookie whose verification is kept',
  '  in a Map, one read, one write when the handler says so. No tracking of changes, no merging, no expiry, no exclusion.',
  '- **koa-keepsake** runs with its defaults: a read refreshes a session at most once a minute (so not in this run), a write is merged',
  '  key by key into what is stored, and excludes other processes.',
  '- **koa-session** runs with its defaults (`autoCommit`): a read refreshes nothing, a write replaces the whole session, whatever other',
  '  requests wrote meanwhile. Its memory store is a Map of objects that are not copied; its file store writes a temporary file and renames it.',
  '- **express-session** runs with `resave` and `saveUninitialized` off. It touches the store on each request of a known session:',
  '  an `EXPIRE` in Redis, reading and rewriting the file in session-file-store.',
  '- **@fastify/session** runs with `saveUninitialized` off; its default `rolling` saves on each request that has a session.',
  '- In the cookie modes the whole session travels in the cookie; nothing is stored, and nothing can be revoked.',
  ''
]

function ratioRows(results) {
  const rows = []
  for (const store of ['memory', 'redis', 'file']) {
    const own = results[`${store}/koa-keepsake`]
    if (!own) continue
    rows.push([stores[store], kindNames.none, '', '', `${own.none.over.toFixed(1)} µs`, mark(own.none.over, targetWithoutCookie, 'µs')])
    for (const [kind, target] of Object.entries(targets)) {
      const of = (name, limit) => {
        const other = results[`${store}/${name}`]
        if (!other) return ['', '']
        const ratio = own[kind].over / other[kind].over
        return [ratio.toFixed(2), mark(ratio, limit)]
      }
      rows.push([stores[store], kindNames[kind], ...of('koa-session', target[store]), ...of('floor', target.floor)])
    }
  }
  return rows
}

function mark(value, limit, unit = '') {
  return `${value <= limit ? '✓' : '✗'} ≤ ${limit}${unit && ` ${unit}`}`
}

function row(label, result) {
  const cells = kinds.map((kind) => `${result[kind].over.toFixed(1)} (${result[kind].spread.toFixed(1)})`)
  return [label, ...cells, Math.round(result.read.perSecond).toLocaleString('en'), result.memory.toFixed(0)]
}

function byVariantOrder(one, other) {
  const order = Object.keys(variants)
  return order.indexOf(one) - order.indexOf(other)
}

function quantile(list, part) {
  const sorted = list.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * part
  const low = Math.floor(at)
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low])
}

function spread(list) {
  return (quantile(list, 0.75) - quantile(list, 0.25)) / 2
}
