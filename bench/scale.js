/**
 * Computes how many servers a number of sessions needs, from bytes, commands and CPU that it measures in each store whose server is installed. It needs
 * the built package.
 *
 *   node scale.js                  measures, prints the tables, and writes them to docs/scale.md and scale.json
 *     --from scale.json            computes with earlier measurements
 *     --records 3000, --dist directory
 *
 * Nothing is written with one of these:
 *     --print
 *     --sessions 1000000,100000000
 *     --active 0.05 …              another assumption: see scale/assumptions.js
 *     --bytes 2000                 data of a session, at least 584 bytes
 *     --stores redis,postgres      measures only these
 */
import { readFile, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { missingFor, serverVersions } from './backends.js'
import { assume, options } from './scale/assumptions.js'
import { fill, partsOf } from './scale/page.js'

const { values: flags, tokens } = parseArgs({
  tokens: true,
  options: {
    from: { type: 'string' },
    print: { type: 'boolean', default: false },
    sessions: { type: 'string', default: '1000000,100000000,1000000000' },
    bytes: { type: 'string', default: '0' },
    stores: { type: 'string', default: 'memory,file,redis,memcached,mongo,postgres,mariadb,sqlite,cookie' },
    records: { type: 'string', default: '3000' },
    dist: { type: 'string', default: fileURLToPath(new URL('../dist', import.meta.url)) },
    ...options
  }
})
/** Options with which the page stays true. */
const harmless = new Set(['from', 'records', 'dist'])
const page = new URL('../docs/scale.md', import.meta.url)
const file = new URL('scale.json', import.meta.url)

const assumed = assume(flags)
const results = flags.from ? JSON.parse(await readFile(flags.from, 'utf8')) : await measureAll(flags.stores.split(','))
const parts = partsOf(results, assumed, flags.sessions.split(',').map(Number))
for (const [name, lines] of Object.entries(parts)) process.stdout.write(`\n${name}\n\n${lines.join('\n')}\n`)

if (tokens.every(({ name }) => harmless.has(name))) {
  await writeFile(file, `${JSON.stringify(results, null, 1)}\n`)
  await writeFile(page, fill(await readFile(page, 'utf8'), parts))
}

async function measureAll(names) {
  const { measure, measureCookie } = await import('./scale/measure.js')
  const { machine, ownVersions } = await import('./summary.js')
  const { sessionData } = await import('./work.js')
  const entry = (name) => import(pathToFileURL(resolve(flags.dist, name)).href)
  const library = { ...(await entry('index.js')), createMark: (await entry('store/index.js')).createMark }
  const plan = { records: Number(flags.records), samples: 30, load: 1000, bytes: Number(flags.bytes), perOwner: 2 }
  const measured = {}
  for (const name of names) {
    const missing = missingFor(name)
    process.stderr.write(missing ? `${name}: ${missing} is not installed\n` : `${name} …\n`)
    if (!missing) measured[name] = name === 'cookie' ? await measureCookie(library) : await measure(name, plan, library)
  }
  // Measured with a million files, which takes longer.
  if (measured.file) measured.file.sweep = /^\| records \| 1,000,000 .*; sweep ([\d.]+ m?s)/m.exec(await readFile(new URL('growth.md', import.meta.url), 'utf8'))[1]
  return {
    environment: { ...(await machine(tmpdir())), load: loadavg()[0], versions: ownVersions(serverVersions(names)) },
    plan: { ...plan, bytes: Buffer.byteLength(JSON.stringify(sessionData())) },
    measured
  }
}
