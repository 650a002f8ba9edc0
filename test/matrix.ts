import { execFile, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs, promisify } from 'node:util'

/*
 * `npm run test:matrix [-- --node 22,24] [-- test/stories]`: installs the dependencies and runs the suite, or only the given files, under each version of
 * Node. Each version gets a copy of the working tree in the temporary directory, because better-sqlite3 is compiled for one version.
 */

const run = promisify(execFile)
const root = path.join(import.meta.dirname, '..')
/** Not below a `node_modules`: compilers and loaders treat files there as those of a package. */
const cache = path.join(os.tmpdir(), 'koa-keepsake-matrix')
const platform = process.platform === 'win32' ? 'win' : process.platform

const { values, positionals } = parseArgs({ allowPositionals: true, options: { node: { type: 'string', default: '20,22,24,26' } } })

const results: { readonly node: string; readonly result: string }[] = []
for (const version of values.node.split(',')) results.push({ node: version, result: await tryVersion(version) })
console.table(results)
process.exit(results.every(({ result }) => result === 'passed') ? 0 : 1)

async function tryVersion(version: string): Promise<string> {
  const home = await installNode(version)
  const copy = path.join(cache, `tree-${version}`)
  await copyTree(copy)
  // With the headers beside its binary, node-gyp downloads none.
  const env = { ...process.env, PATH: `${path.join(home, 'bin')}${path.delimiter}${process.env['PATH']}`, npm_config_nodedir: home }
  if (!(await installDependencies(version, copy, env))) return 'no dependencies'
  return (await succeeds('node', ['node_modules/ava/entrypoints/cli.mjs', ...positionals], copy, env)) ? 'passed' : 'failed'
}

/** The folder of a version's binary and headers: the npm package that the package `node` installs, too. */
async function installNode(version: string): Promise<string> {
  const name = `node-${platform}-${process.arch}`
  const prefix = path.join(cache, `node-${version}`)
  mkdirSync(prefix, { recursive: true })
  await run('npm', ['install', '--prefix', prefix, '--no-save', '--no-audit', '--no-fund', `${name}@${version}`])
  return path.join(prefix, 'node_modules', name)
}

/** Copies the files that git knows, and new ones that it does not ignore. Dependencies of an earlier run stay. */
async function copyTree(copy: string): Promise<void> {
  mkdirSync(copy, { recursive: true })
  for (const name of readdirSync(copy)) if (name !== 'node_modules') rmSync(path.join(copy, name), { recursive: true, force: true })
  const { stdout } = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, maxBuffer: 1e8 })
  for (const name of stdout.split('\0').filter(Boolean)) {
    const file = path.join(root, name)
    if (existsSync(file)) cpSync(file, path.join(copy, name))
  }
}

/** Installs what the lock file names, unless an earlier run did. */
async function installDependencies(version: string, copy: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const lock = readFileSync(path.join(copy, 'package-lock.json'), 'utf8')
  const installed = path.join(copy, 'node_modules/.installed-lock.json')
  if (existsSync(installed) && readFileSync(installed, 'utf8') === lock) return true
  const npm = (...args: string[]): Promise<boolean> => succeeds('npm', [...args, '--no-audit', '--no-fund', '--ignore-scripts'], copy, env)
  if (!(await npm('ci'))) return false
  // Version 12 aborts when a process of Node 24 ends, and version 13 does not support Node 20.
  if (Number.parseInt(version, 10) >= 22 && !(await npm('install', '--no-save', 'better-sqlite3@13'))) return false
  if (!(await succeeds('npm', ['rebuild', 'better-sqlite3'], copy, env))) return false
  writeFileSync(installed, lock)
  return true
}

function succeeds(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  console.log(`\n${path.basename(cwd)}: ${command} ${args.join(' ')}`)
  const child = spawn(command, args, { cwd, env, stdio: 'inherit' })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code === 0))
  })
}
