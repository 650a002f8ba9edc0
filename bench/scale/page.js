import { assumptions } from './assumptions.js'
import { requests } from './application.js'
import { bytes, count, table } from './format.js'
import { limits } from './limits.js'
import { postgres } from './postgres.js'
import { redisCluster } from './redis-cluster.js'

const titles = {
  memory: '`memoryStore()`',
  file: '`fileStore()`',
  redis: 'Redis',
  memcached: 'memcached',
  mongo: 'MongoDB',
  postgres: 'PostgreSQL',
  mariadb: 'MariaDB',
  sqlite: 'SQLite',
  cookie: '`cookieStore()`'
}

/** The parts of docs/scale.md that are printed, by the name of their markers. */
export function partsOf({ environment, plan, measured }, assumed, sizes) {
  const model = (of, store) => (measured[store] ? table(['', ...sizes.map((size) => `${count(size)} sessions`)], columns(sizes.map((size) => of(size, measured[store], assumed)))) : [])
  return {
    'machine': [machine(environment, plan)],
    'bytes': table(['store', 'bytes', 'of what'], Object.entries(measured).flatMap(([store, own]) => sizeRow(store, own))),
    'commands': table(['store', ...requests], stored(measured).map(([store, own]) => commandsRow(store, own))),
    'costs': table(['store', 'bytes on the network: read', 'save', 'CPU of the server, µs: read', 'save', 'log of a save'], stored(measured).flatMap(([store, own]) => costRow(store, own))),
    'assumptions': table(['option', 'value', 'meaning'], Object.entries(assumptions).map(([name, [, unit, meaning]]) => [`\`--${name}\``, `${assumed[name]} ${unit}`.trim(), meaning])),
    'redis-cluster': model(redisCluster, 'redis'),
    'postgresql': model(postgres, 'postgres'),
    'limits': table(['store', 'sessions', 'what ends there'], limits(measured, assumed).map(([store, most, why]) => [titles[store], most, why]))
  }
}

/** Puts the parts between their markers. */
export function fill(page, parts) {
  return Object.entries(parts).reduce((text, [name, lines]) => {
    const marked = new RegExp(`(<!-- printed: ${name} -->\n)[^]*?(<!-- end -->)`)
    if (!marked.test(text)) throw new Error(`docs/scale.md has no part ${name}`)
    return text.replace(marked, (_, before, after) => `${before}\n${lines.join('\n')}\n\n${after}`)
  }, page)
}

function machine({ cpu, cores, load, system, files, versions }, { records, bytes: size }) {
  const servers = Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ')
  return `Measured with ${count(records)} sessions of ${count(size)} bytes of data, on ${cpu}, ${cores} cores (load average ${count(load)}), ${system}, files on ${files}; ${servers}.`
}

/** Each model answers rows of a name and a value: one column for each size. */
function columns([first, ...others]) {
  return first.map(([name, value], row) => [name, value, ...others.map((rows) => rows[row][1])])
}

function stored(measured) {
  return Object.entries(measured).filter(([, own]) => own.requests)
}

const sizesOf = {
  memory: 'heap of the process',
  file: 'blocks of the files and directories',
  redis: '`used_memory`, with the lists of owners',
  memcached: 'chunks of the slabs',
  mongo: 'BSON, without indexes and compression',
  postgres: 'table and indexes',
  mariadb: 'data and indexes',
  sqlite: 'pages of the file'
}

function sizeRow(store, { fresh, used, cookie }) {
  if (cookie !== undefined) return [[titles[store], count(cookie), 'the cookie, in each request']]
  const indexes = fresh.indexes === undefined ? '' : `; the indexes alone: ${count(fresh.indexes)}`
  const inodes = fresh.inodes === undefined ? '' : `, with ${count(fresh.inodes)} inodes`
  const row = [titles[store], count(fresh.bytes), `${sizesOf[store]}${indexes}${inodes}`]
  return used ? [row, [titles[store], count(used.bytes), `the same after each session was changed three times; the indexes alone: ${count(used.indexes)}`]] : [row]
}

function commandsRow(store, own) {
  const title = store === 'file' ? `${titles[store]}, operations on files` : titles[store]
  return [title].concat(requests.map((kind) => commandsOf(own.requests[kind])))
}

/** Commands, and in front of them round trips where there is a network. */
function commandsOf({ trips, commands }) {
  const names = Object.entries(commands).toSorted(([one], [other]) => orderOf(one) - orderOf(other) || (one < other ? -1 : 1)).map(([name, times]) => `${Math.round(times) === 1 && name !== '' ? '' : count(times)} ${name}`.trim())
  if (names.length === 0) return 'none'
  return trips === undefined ? names.join(', ') : `**${count(trips)}**: ${names.join(', ')}`
}

/** The commands that a reader looks for come first. */
function orderOf(command) {
  const first = ['GET', 'SET', 'EVALSHA'].indexOf(command)
  return first < 0 ? 9 : first
}

function costRow(store, { requests: own, cpu, log }) {
  if (own.read.up === undefined) return []
  const logged = log ? [bytes(log.save), ...(log['save after a checkpoint'] ? [`up to ${bytes(log['save after a checkpoint'])}`] : [])].join(', ') : ''
  return [[titles[store], count(own.read.up + own.read.down), count(own.save.up + own.save.down), microseconds(cpu?.read), microseconds(cpu?.save), logged]]
}

function microseconds(value) {
  return value === undefined ? '' : count(value)
}
