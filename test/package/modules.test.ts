import test from 'ava'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { app, install, manifest, runs } from '../support/packed.js'

const importing = `import Koa from 'koa'\nimport { session, memoryStore } from 'koa-keepsake'\n${app}`
const requiring = `const Koa = require('koa')\nconst { session, memoryStore } = require('koa-keepsake')\n${app.replace('new Koa', 'new (Koa.default ?? Koa)')}`

for (const [name, koa] of [['koa 3', 'koa'], ['koa 2.16', 'koa2']] as const) {
  test(`the tarball keeps sessions of ${name} as an ES module, and by require()`, async (t) => {
    const project = await install(t, [['koa', koa]])
    t.is(await runs(t, project, 'app.mjs', importing), '200 1')
    t.is(await runs(t, project, 'app.cjs', requiring), '200 1')
  })
}

test('the ES module and the CommonJS build share one state: one accessor, its conflicts, warnings, events, schemes, and errors that are instances of both classes', async (t) => {
  const project = await install(t)
  const text = `
    import { createRequire } from 'node:module'
    import { subscribe } from 'node:diagnostics_channel'
    import Koa from 'koa'
    import * as esm from 'koa-keepsake'
    const cjs = createRequire(import.meta.url)('koa-keepsake')
    const app = new Koa()
    app.keys = ['too short']
    app.silent = true
    const events = []
    subscribe('koa-keepsake:session', ({ type }) => events.push(type))
    const warnings = []
    process.on('warning', ({ message }) => warnings.push(message))
    const parts = [esm.session({ store: esm.memoryStore() }), cjs.session({ store: cjs.memoryStore(), name: 'other' })]
    app.use((ctx, next) => parts[ctx.path === '/cjs' ? 1 : 0](ctx, next))
    app.use((ctx, next) => (ctx.path === '/twice' ? parts[1](ctx, next) : next()))
    app.use((ctx) => { ctx.session.user = 'momo'; ctx.body = 'set' })
    const server = app.listen(0, '127.0.0.1', async () => {
      for (const path of ['/', '/cjs', '/', '/twice']) {
        const { status, headers } = await fetch('http://127.0.0.1:' + server.address().port + path)
        console.log(status, headers.getSetCookie().length)
      }
      console.log(esm.session !== cjs.session, new cjs.SessionError('ERR_SESSION_STORE', '') instanceof esm.SessionError, new Error('') instanceof esm.SessionError)
      cjs.registerStoreScheme('own:', () => cjs.memoryStore())
      console.log(events.join(), warnings.length, typeof esm.storeFromUrl('own:').read)
      server.close()
    })`
  writeFileSync(path.join(project, 'both.mjs'), text)
  t.is(await runs(t, project, 'both.mjs', undefined, ['--no-warnings']), '200 1\n200 1\n200 1\n500 0\ntrue true false\ncreate,create,create 1 function')
})

test('every entry of exports is there as an ES module and by require(), and nothing else is', async (t) => {
  const project = await install(t)
  for (const entry of Object.keys(manifest.exports)) {
    const name = `koa-keepsake${entry.slice(1)}`
    const attributes = entry.endsWith('.json') ? ", { with: { type: 'json' } }" : ''
    const text = `const module = await import('${name}'${attributes})\nconsole.log(Object.keys(module).length > 0)`
    t.is(await runs(t, project, 'entry.mjs', text), 'true', name)
    t.is(await runs(t, project, 'entry.cjs', `console.log(Object.keys(require('${name}')).length > 0)`), 'true', name)
  }
  const inner = "await import('koa-keepsake/dist/middleware.js').catch((error) => console.log(error.code))"
  t.is(await runs(t, project, 'inner.mjs', inner), 'ERR_PACKAGE_PATH_NOT_EXPORTED')
})

test('importing the root loads no driver, though all are installed, and nothing but what it declares', async (t) => {
  const drivers = ['redis', 'ioredis', 'knex', 'pg', 'mysql2', 'better-sqlite3', 'mongodb', 'memcache-client', '@msgpack/msgpack']
  const project = await install(t, ['koa', ...drivers])
  const hooks = `
    import { writeSync } from 'node:fs'
    export async function load(url, context, next) { writeSync(1, url + '\\n'); return next(url, context) }`
  writeFileSync(path.join(project, 'hooks.mjs'), hooks)
  writeFileSync(path.join(project, 'register.mjs'), "import { register } from 'node:module'\nregister('./hooks.mjs', import.meta.url)")
  const text = `
    await import('koa-keepsake')
    const { createRequire } = await import('node:module')
    for (const path of Object.keys(createRequire(import.meta.url).cache)) console.log(path)`
  const loaded = await runs(t, project, 'load.mjs', text, ['--import', './register.mjs', '--disable-warning=DEP0205'])
  const packages = new Set(loaded.split('\n').filter((line) => line.includes('node_modules/')).map((line) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(line)![1]!))
  t.true(packages.has('koa-keepsake') && packages.has('keygrip'), loaded)
  // What the middleware needs, and what proper-lockfile and keygrip themselves need. The command's packages are not among them.
  const allowed = new Set(['koa-keepsake', 'keygrip', 'on-headers', 'proper-lockfile', 'tsscmp', 'graceful-fs', 'retry', 'signal-exit'])
  t.deepEqual([...packages].filter((name) => !allowed.has(name)), [])
})
