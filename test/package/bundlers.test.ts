import test, { type ExecutionContext } from 'ava'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import commonjs from '@rollup/plugin-commonjs'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { rollup, type InputPluginOption } from 'rollup'
import { install, moduleFile, runs } from '../support/packed.js'

const run = promisify(execFile)

/** Keeps a session in memory, in files and in SQL: the file store imports proper-lockfile when it first needs it, and the SQL store's drivers are not in the bundle. */
const text = `
import Koa from 'koa'
import { session, storeFromUrl } from 'koa-keepsake'
import { sessionCookie } from 'koa-keepsake/testing'

async function keeps(url) {
  const app = new Koa()
  app.keys = ['a secret of more than thirty-two characters']
  const store = storeFromUrl(url)
  const sessions = session({ store })
  app.use(sessions)
  app.use((ctx) => { ctx.body = String(ctx.session.increment('visits')) })
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const get = (cookie = '') => fetch('http://127.0.0.1:' + server.address().port, { headers: { cookie } })
  const [cookie] = (await get()).headers.getSetCookie()
  const visits = await (await get(cookie.split(';')[0])).text()
  await sessions.prune()
  await new Promise((resolve) => server.close(resolve))
  await sessions.close()
  return visits
}
for (const url of ['memory:', 'file:sessions', 'sqlite:sessions.db']) console.log(await keeps(url), typeof sessionCookie)
`

/** CommonJS has no `await` outside of functions. */
const inFunction = text.replace(/^(for .*)$/m, ';(async () => {\n$1\n})()')

async function project(t: ExecutionContext): Promise<string> {
  const dir = await install(t, ['koa', 'knex', 'better-sqlite3'])
  writeFileSync(path.join(dir, 'app.mjs'), text)
  writeFileSync(path.join(dir, 'app-in-function.mjs'), inFunction)
  return dir
}

const answers = '2 function\n2 function\n2 function'

test('esbuild bundles it as an ES module and to CommonJS, and the bundles keep sessions and open stores by URL', async (t) => {
  const dir = await project(t)
  const esbuild = (...args: string[]) => run(moduleFile('.bin/esbuild'), [...args, '--bundle', '--platform=node', '--log-level=error'], { cwd: dir })
  await esbuild('app-in-function.mjs', '--format=cjs', '--outfile=bundle.cjs')
  t.is(await runs(t, dir, 'bundle.cjs'), answers)
  // Koa's CommonJS needs require().
  const banner = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)"
  await esbuild('app.mjs', '--format=esm', '--outfile=bundle.mjs', `--banner:js=${banner}`)
  t.is(await runs(t, dir, 'bundle.mjs'), answers)
})

test('rollup bundles it as an ES module and to CommonJS, and the bundles keep sessions and open stores by URL', async (t) => {
  const dir = await project(t)
  const plugins = [nodeResolve({ preferBuiltins: true, exportConditions: ['node'] }), asPlugin(commonjs)()]
  const warnings: string[] = []
  for (const [input, format, file] of [['app-in-function.mjs', 'cjs', 'bundle.cjs'], ['app.mjs', 'es', 'bundle.mjs']] as const) {
    // Koa is external, as most server bundles have it: only this package is tested.
    const bundle = await rollup({ input: path.join(dir, input), plugins, external: 'koa', onwarn: ({ message }) => void warnings.push(message) })
    await bundle.write({ file: path.join(dir, file), format, inlineDynamicImports: true })
    await bundle.close()
    t.is(await runs(t, dir, file), answers)
  }
  t.deepEqual(warnings.filter((warning) => warning.includes('koa-keepsake')), [])
})

/** The plugin's declarations are those of a CommonJS module. */
function asPlugin(plugin: unknown): (options?: object) => InputPluginOption {
  return plugin as (options?: object) => InputPluginOption
}
