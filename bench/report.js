import { isComplete, variants } from './variants/index.js'
import { kinds, sessionsPerOwner } from './work.js'

const stores = {
  memory: 'Memory',
  file: 'Files',
  redis: 'Redis',
  memcached: 'memcached',
  mongo: 'MongoDB',
  postgres: 'PostgreSQL',
  mariadb: 'MariaDB',
  sqlite: 'SQLite',
  cookie: 'Signed cookie'
}

/** The kinds of request, as the tables name them. */
export const kindNames = {
  none: 'no cookie',
  untouched: 'cookie, session untouched',
  read: 'read one key',
  write: 'write one key',
  new: 'new session'
}

/**
 * The targets, as the most that koa-keepsake may cost of what koa-session costs, and of what the floor costs. The floor in Redis is too small
 * to divide by: it is reported, and no target is set on it.
 */
const targets = {
  memory: { untouched: [0.15, 1], read: [0.15, 1], write: [0.25, 1.25], new: [1, 1.2] },
  redis: { untouched: [0.3], read: [0.3], write: [0.4], new: [1.3] },
  file: { untouched: [0.25, 0.5], read: [0.3, 0.5], write: [0.7, 1.3], new: [0.8, 1.3] }
}
/** In µs. */
const targetWithoutCookie = 2
/** The highest ratio of the cost of a login to that of a regeneration. */
const targetOfLogin = 1.3
/** The most that a request with a sealed session may cost more than one with a session that is not sealed, in µs. */
const targetOfSealed = 15
/** The highest ratio of the cost of a new session at the threshold, with the removals that it causes, to that of one below it. */
const targetAtThreshold = 2

/** Whether what a store costs is compared with targets. */
export function hasTargets(store) {
  return store in targets
}

export function table(head, rows) {
  return [head, head.map((_, column) => (column === 0 ? '---' : '---:')), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
}

export function report({ environment: { versions, ...machine }, plan, skipped, variants: results }) {
  return [
    ...introduction(plan, machine, versions, skipped),
    ...section('Against koa-session and the floor', ['store', 'request', 'of koa-session', 'target', 'of the floor', 'target'], ratioRows(results)),
    ...section(
      'Logins and lists of sessions: CPU µs per request above bare Koa',
      ['store', '`regenerate()`', '`loginAs()`', 'of `regenerate()`', 'target', `the ${sessionsPerOwner} sessions of an owner`],
      ownerRows(results)
    ),
    ...section('Sealed sessions: CPU µs per request more than sessions that are not sealed', ['store', 'request', 'more', 'target'], sealedRows(results)),
    ...section(
      'New sessions at the threshold: CPU µs per request above bare Koa',
      ['store', 'below the threshold', 'at the threshold', 'of below', 'target'],
      thresholdRows(results)
    ),
    ...section('The bare frameworks: CPU µs per request', columns('requests/s'), rowsOf(results, undefined)),
    ...Object.entries(stores).flatMap(([store, title]) =>
      section(`${title}: CPU µs per request above the bare framework`, columns('reads/s'), rowsOf(results, store))
    ),
    ...lostWrites(results),
    ...differences
  ].join('\n')
}

function introduction(plan, { cpu, cores, memory, system, files, pinning }, versions, skipped) {
  const missing = Object.entries(skipped).map(([store, program]) => `${stores[store]} (${program} is not installed)`)
  return [
    '# What a session costs',
    '',
    `Server CPU µs per request above the bare framework, threads included: the median of ${plan.rounds} server processes of each variant (${plan.otherRounds} where there`,
    'are no targets). The variants on one store ran side by side. Each was warmed up, two times with each kind of request: as many as fit',
    `${plan.warmUpSeconds} s, at most ${plan.warmUp}. Then each had ${plan.turns} windows for each kind, one at a time and in random order: as many requests as fit ${plan.seconds} s, at`,
    `most ${plan.requests}. Of requests that leave a new record, ${100 * plan.recordShare} % of these numbers. ${plan.connections} connections, ${plan.sessions} sessions of 584 bytes as JSON. The spread in`,
    'brackets is half the distance between the quartiles.',
    '',
    `${cpu}, ${cores} cores, ${memory}, ${system}, files on ${files}; ${pinning}.`,
    '',
    Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', '),
    '',
    ...(missing.length > 0 ? [`Not measured: ${missing.join(', ')}.`, ''] : [])
  ]
}

function section(title, head, rows) {
  return rows.length === 0 ? [] : [`## ${title}`, '', ...table(head, rows), '']
}

function ratioRows(results) {
  const rows = []
  for (const [store, title] of Object.entries(stores)) {
    const own = results[`${store}/koa-keepsake`]
    if (!own) continue
    if (hasTargets(store)) rows.push([title, kindNames.none, '', '', microseconds(own.none.over), mark(own.none.over, targetWithoutCookie, ' µs')])
    for (const kind of kinds.filter((each) => each !== 'none')) {
      const [ofKoaSession, ofFloor] = targets[store]?.[kind] ?? []
      const against = (name, target) => {
        const other = results[`${store}/${name}`]
        return other ? ratio(own[kind].over, other[kind].over, target) : ['', '']
      }
      rows.push([title, kindNames[kind], ...against('koa-session', ofKoaSession), ...against('floor', ofFloor)])
    }
  }
  return rows.filter(([, , ...figures]) => figures.some(Boolean))
}

function ownerRows(results) {
  return Object.entries(stores).flatMap(([store, title]) => {
    const own = results[`${store}/owners`]
    if (!own) return []
    const { regenerate, login, devices } = own
    return [[title, figure(regenerate), figure(login), ...ratio(login.over, regenerate.over, targetOfLogin), devices ? figure(devices) : 'not possible']]
  })
}

function sealedRows(results) {
  return Object.entries(stores).flatMap(([store, title]) => {
    const [plain, sealed] = [results[`${store}/koa-keepsake`], results[`${store}/sealed`]]
    if (!plain || !sealed) return []
    return kinds.filter((kind) => kind !== 'none').map((kind) => {
      const more = sealed[kind].over - plain[kind].over
      return [title, kindNames[kind], microseconds(more), mark(more, targetOfSealed, ' µs')]
    })
  })
}

function thresholdRows(results) {
  const below = results['file/below the threshold']?.new
  const at = results['file/at the threshold']?.new
  return below && at ? [[stores.file, figure(below), figure(at), ...ratio(at.over, below.over, targetAtThreshold)]] : []
}

function columns(rate) {
  return ['', ...kinds.map((kind) => kindNames[kind]), rate, 'memory MiB']
}

/** @param store absent: the bare frameworks. */
function rowsOf(results, store) {
  const names = Object.keys(results).filter((name) => variants[name].store === store && isComplete(name))
  return names.map((name) => {
    const { read, memory } = results[name]
    const costs = kinds.map((kind) => figure(results[name][kind]))
    return [variants[name].label ?? name].concat(costs, Math.round(read.perSecond).toLocaleString('en'), memory.toFixed(0))
  })
}

function lostWrites(results) {
  return Object.entries(results).flatMap(([name, { lost }]) => (lost > 0 ? [`${name} lost ${lost} writes.`, ''] : []))
}

function figure({ over, spread }) {
  return `${over.toFixed(1)} (${spread.toFixed(1)})`
}

function microseconds(value) {
  return `${value.toFixed(1)} µs`
}

/** Two cells: how many times the other cost something costs, and whether the target is met. No number is a multiple of noise around 0. */
function ratio(cost, other, target) {
  if (other <= 0) return ['not measurable', target === undefined ? '' : `≤ ${target}`]
  const times = cost / other
  return [times.toFixed(2), target === undefined ? '' : mark(times, target)]
}

function mark(value, limit, unit = '') {
  return `${value <= limit ? '✓' : '✗'} ≤ ${limit}${unit}`
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
  '- The other stores of koa-session are the smallest that an application would write, on the same client with the same settings: JSON text with a',
  '  time to live in Redis, memcached and MongoDB, and in SQL a row that is inserted or replaced, through Knex.',
  '- The servers run on the load\'s core, and what they cost is not in the figures. SQLite is a part of the process, so there it is.',
  '- MongoDB is mongo-java-server, which speaks its protocol: the cost of the driver is the same, the rest of it is not measured here.',
  '- **express-session** runs with `resave` and `saveUninitialized` off. It touches the store on each request of a known session:',
  '  an `EXPIRE` in Redis, reading and rewriting the file in session-file-store.',
  '- **@fastify/session** runs with `saveUninitialized` off; its default `rolling` saves on each request that has a session.',
  '- **koa-keepsake, sealed** runs with `seal: true`, which encrypts the data in the store, or in the cookie modes with `encrypt: true`.',
  '- In the cookie modes the whole session travels in the cookie; nothing is stored, and nothing can be revoked.',
  `- \`regenerate()\` and \`loginAs()\` are called in sessions of visitors who have not logged in. Each owner has ${sessionsPerOwner} sessions in the end.`,
  '  The list of an owner\'s sessions is read in the request of one of them. memcached cannot list them.',
  '- A new session at the threshold is measured over as many of them as the threshold allows, until the last of those that must go are removed.',
  ''
]
