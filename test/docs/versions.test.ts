import { readFileSync } from 'node:fs'
import test from 'ava'
import { readPage, root } from './snippets.js'

const page = readPage('docs/versions.md')
const { engines, peerDependencies, devDependencies } = JSON.parse(readPage('package.json')) as { engines: { node: string }; peerDependencies: { koa: string }; devDependencies: Record<string, string> }

/** The second and the third cell of a row of a table. */
function cellsOf(name: string): [from: string, tested: string] {
  const [, from = '', tested = ''] = new RegExp(`^\\| \`?${name}\`?[^|]* \\| ([^|]*) \\| ([^|]*) \\|$`, 'm').exec(page) ?? []
  return [from, tested]
}

const majorOf = (name: string) => (JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, root), 'utf8')) as { version: string }).version.split('.')[0]!

test('versions.md names the versions of Node.js and Koa that package.json allows', (t) => {
  t.true(cellsOf('Node.js')[0].startsWith(/>=(\d+\.\d+)/.exec(engines.node)![1]!))
  for (const [, version] of peerDependencies.koa.matchAll(/\^(\d+(?:\.[1-9]\d*)?)/g)) t.true(cellsOf('Koa')[0].includes(version!), version)
})

test('versions.md names each driver with the oldest version that storeFromUrl() takes, and the installed ones', (t) => {
  const sources = ['sql/open-sql', 'redis/open-redis', 'mongo/open-mongo', 'memcached/open'].map((name) => readPage(`src/stores/${name}.ts`)).join('\n')
  const oldest = [...new Set(Array.from(sources.matchAll(/'([a-z][\w-]*)@(\d+(?:\.\d+)?)'/g), ([, name, version]) => `${name} ${version}`))]
  t.true(oldest.length >= 8, oldest.join())
  for (const driver of oldest) {
    const [name, version] = driver.split(' ') as [string, string]
    t.is(cellsOf(name)[0], version, name)
    const installed = [name, ...Object.keys(devDependencies).filter((each) => devDependencies[each]!.startsWith(`npm:${name}@`))]
    for (const each of installed) t.true(cellsOf(name)[1].includes(majorOf(each)), `${each} ${majorOf(each)}`)
  }
})
