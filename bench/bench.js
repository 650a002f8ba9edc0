/**
 * Measures the cost of a session. It needs the built package, and for steady figures Linux with taskset. It starts servers from the PATH: redis-server,
 * memcached, mongo-java-server (.ci/mongo-java-server/install), postgres and mariadbd. What is missing is left out.
 *
 *   node bench.js                 the tables, written to results.md and chart.svg as well, in a quarter of an hour
 *     --quick                     one short round, nothing written
 *     --only 'redis|^file'        only variants whose names match, nothing written
 *     --rounds 9                  for figures that are steadier
 *     --json file                 every figure of every round
 *     --profile directory         a CPU profile of every variant and kind of request
 *     --dist directory            another build of koa-keepsake
 *     --earlier directory         an earlier build of koa-keepsake, measured beside that one; nothing written
 *     --dir directory             where files are kept: by default the system's temporary directory
 */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { missingFor, serverVersions } from './backends.js'
import { chart } from './chart.js'
import { measure, shuffled } from './measure.js'
import { stepAside } from './process.js'
import { hasTargets, report } from './report.js'
import { environment, summarize } from './summary.js'
import { variants } from './variants/index.js'

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string' },
    json: { type: 'string' },
    profile: { type: 'string' },
    dist: { type: 'string', default: fileURLToPath(new URL('../dist', import.meta.url)) },
    earlier: { type: 'string' },
    dir: { type: 'string', default: tmpdir() }
  }
})
const { quick } = flags

for (const build of [flags.dist, flags.earlier ?? flags.dist]) {
  if (!existsSync(join(build, 'index.js'))) throw new Error(`there is no build in ${build}: run npm run build in the directory above`)
}

const plan = {
  // Each with new processes, because two processes of one program do not compile it alike.
  rounds: Number(flags.rounds ?? (quick ? 1 : 3)),
  // Of stores that have no targets.
  otherRounds: Number(flags.rounds ?? (quick ? 1 : 2)),
  turns: quick ? 1 : 3,
  warmUp: quick ? 500 : 10_000,
  warmUpSeconds: quick ? 0.1 : 0.5,
  requests: quick ? 1000 : 20_000,
  seconds: quick ? 0.2 : 0.25,
  // With 500 + 2 × 1000 + 3 × 2000 new sessions, a file store stays below its default threshold of 10 000.
  recordShare: quick ? 1 : 0.1,
  threshold: quick ? 500 : 5000,
  sessions: 500,
  connections: 32,
  dir: flags.dir,
  profileTo: flags.profile,
  settings: { dist: resolve(flags.dist) },
  earlier: flags.earlier && resolve(flags.earlier)
}
if (flags.profile) await mkdir(flags.profile, { recursive: true })

const wanted = new RegExp(flags.only ?? '.')
const chosen = Object.keys(variants).filter((name) => wanted.test(name) && (flags.earlier || !variants[name].isEarlier))
const groups = [...new Set(chosen.map((name) => variants[name].store).filter(Boolean))].map((store) => ({
  store,
  names: chosen.filter((name) => variants[name].store === store)
}))
// The bare frameworks are measured with the others.
if (groups.length === 0) groups.push({ store: 'no store', names: chosen })
const skipped = Object.fromEntries(groups.map(({ store }) => [store, missingFor(store)]).filter(([, missing]) => missing))
for (const [store, missing] of Object.entries(skipped)) process.stderr.write(`${store} is left out: ${missing} is not installed\n`)

stepAside()
const began = performance.now()
const samples = []
for (let round = 1; round <= plan.rounds; round++) {
  for (const { store, names } of shuffled(groups)) {
    if (store in skipped || (round > plan.otherRounds && !hasTargets(store))) continue
    process.stderr.write(`\rround ${round} of ${plan.rounds}: ${store.padEnd(30)}`)
    const bare = names.map((name) => variants[name].bare ?? name)
    samples.push(await measure([...new Set([...bare, ...names])], plan))
  }
}
const minutes = (performance.now() - began) / 60_000
process.stderr.write(`\r${minutes.toFixed(1)} minutes${' '.repeat(40)}\n`)

const versions = serverVersions(groups.map(({ store }) => store))
const summary = { environment: await environment(versions, flags.dir), plan, skipped, variants: summarize(samples) }
const markdown = report(summary)
process.stdout.write(markdown)
if (flags.json) await writeFile(flags.json, `${JSON.stringify({ ...summary, samples }, null, 2)}\n`)
if (!quick && !flags.only && !flags.earlier) {
  await writeFile(new URL('results.md', import.meta.url), markdown)
  await writeFile(new URL('chart.svg', import.meta.url), chart(summary))
}
