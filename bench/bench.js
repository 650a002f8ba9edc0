/**
 * What a session costs. Needs the built package, redis-server, and for steady figures Linux with taskset.
 *
 *   node bench.js                 the table, written to results.md and chart.svg as well
 *     --quick                     one short round, nothing written
 *     --only 'redis|^file'        only variants whose names match, nothing written
 *     --rounds 9
 *     --json file                 every figure of every round
 *     --profile directory         a CPU profile of every variant and kind of request
 *     --dist directory            another build of koa-keepsake, to compare
 *     --dir directory             where files are kept: by default the system's temporary directory
 */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chart } from './chart.js'
import { measure } from './measure.js'
import { redisVersion, stepAside } from './process.js'
import { environment, report, summarize } from './report.js'
import { variants } from './variants/index.js'

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string' },
    json: { type: 'string' },
    profile: { type: 'string' },
    dist: { type: 'string', default: fileURLToPath(new URL('../dist', import.meta.url)) },
    dir: { type: 'string', default: tmpdir() }
  }
})

if (!existsSync(join(flags.dist, 'index.js'))) throw new Error('build the package first: npm run build, in the directory above')

// Long enough that a collection of garbage does not decide about one. Of new sessions, a tenth of each number: with 500 + 2 × 1000
// + 7000, a file store stays below its default threshold of 10 000.
const plan = {
  rounds: Number(flags.rounds ?? (flags.quick ? 1 : 7)),
  warmUp: flags.quick ? 2000 : 10_000,
  requests: flags.quick ? 2500 : 70_000,
  newShare: flags.quick ? 1 : 0.1,
  seconds: flags.quick ? 0.7 : 1.5,
  sessions: 500,
  connections: 32
}
if (flags.profile) await mkdir(flags.profile, { recursive: true })

const wanted = new RegExp(flags.only ?? '.')
const chosen = Object.keys(variants).filter((name) => wanted.test(name))
// What everything else is compared with is measured three times a round.
const bare = [...new Set(chosen.map((name) => variants[name].bare ?? name))]
const names = [...bare, ...bare, ...new Set([...bare, ...chosen])]

stepAside()
const rounds = []
for (let round = 1; round <= plan.rounds; round++) {
  const results = {}
  for (const name of shuffled(names)) {
    process.stderr.write(`\rround ${round} of ${plan.rounds}: ${name.padEnd(30)}`)
    const result = await measure(name, { ...plan, dir: flags.dir, profileTo: flags.profile, settings: { dist: resolve(flags.dist) } })
    ;(results[name] ??= []).push(result)
  }
  rounds.push(results)
}
process.stderr.write('\n')

const summary = { environment: await environment(redisVersion(), flags.dir), plan, variants: summarize(rounds) }
const markdown = report(summary)
process.stdout.write(markdown)
if (flags.json) await writeFile(flags.json, `${JSON.stringify({ ...summary, rounds }, null, 2)}\n`)
if (!flags.quick && !flags.only) {
  await writeFile(new URL('results.md', import.meta.url), markdown)
  await writeFile(new URL('chart.svg', import.meta.url), chart(summary))
}

function shuffled(list) {
  const result = [...list]
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1))
    ;[result[last], result[other]] = [result[other], result[last]]
  }
  return result
}
