import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

// Completes what tsc wrote to dist/cjs.

const dir = 'dist/cjs'
writeFileSync(`${dir}/package.json`, JSON.stringify({ type: 'commonjs' }))

// jest before 27 does not know `node:` and looks for a file of that name.
for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
  if (!name.endsWith('.js')) continue
  const file = `${dir}/${name}`
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('require("node:', 'require("'))
}
