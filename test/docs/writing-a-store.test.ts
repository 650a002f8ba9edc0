import { existsSync, readFileSync } from 'node:fs'
import test from 'ava'
import * as storeExports from '../../src/store/index.js'
import * as testingExports from '../../src/testing/index.js'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const guide = read('docs/writing-a-store.md')

test('the example is at most 100 lines and imports nothing but its driver and koa-keepsake/store', (t) => {
  const example = read('docs/examples/sqlite-store.ts')
  t.true(example.split('\n').length <= 101)
  t.deepEqual([...example.matchAll(/from '([^']+)'/g)].map(([, name]) => name), ['better-sqlite3', 'koa-keepsake/store'])
})

test('the guide names every operation of a backend and every capability of the suite', (t) => {
  const backend = read('src/store/backend.ts')
  const body = backend.slice(backend.indexOf('export interface Backend'), backend.indexOf('export interface StoreDefinition'))
  const operations = [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[(:]/gm)].map(([, name]) => name!)
  t.true(operations.includes('replace') && operations.includes('sendsOnce'), operations.join(' '))
  for (const name of operations) t.regex(guide, new RegExp(`\\| \`${name}[(\`]`), name)
  const fixture = read('src/testing/fixture.ts')
  const capabilities = fixture.slice(fixture.indexOf('export interface StoreCapabilities'), fixture.indexOf('export interface StoreWithTexts'))
  for (const [, name] of capabilities.matchAll(/^ {2}(\w+)\?:/gm)) t.true(guide.includes(`{ ${name}: `), name)
})

test('the guide imports what there is, and links to files that are there', (t) => {
  const exported = { 'koa-keepsake/store': storeExports, 'koa-keepsake/testing': testingExports } as { [name: string]: object }
  for (const [, names, module] of guide.matchAll(/import \{ ([^}]+) \} from '(koa-keepsake\/\w+)'/g)) {
    for (const name of names!.split(', ')) if (!name.startsWith('type ')) t.true(name in exported[module!]!, name)
  }
  for (const [, link] of guide.matchAll(/\]\(([^)]+)\)/g)) t.true(existsSync(new URL(link!, new URL('docs/', root))), link)
})
