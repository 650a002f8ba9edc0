import type { ExecutionContext } from 'ava'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { lock } from 'proper-lockfile'
import { removeOldEntries } from './old-entries.js'

// The package as a user gets it: built and packed apart from the sources, installed, and used.

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const sources = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'tsconfig.cjs.json', 'build-commonjs.js', 'README.md', 'LICENSE', 'CHANGELOG.md', 'src']
/** The tarball of each state of the sources, because several test files need it. */
const cache = path.join(root, 'node_modules/.cache/koa-keepsake-packed')

interface Manifest {
  readonly dependencies: { readonly [name: string]: string }
  readonly peerDependencies: { readonly [name: string]: string }
  readonly exports: { readonly [entry: string]: unknown }
}

export const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest

/** The path of a file of an installed package, or of one of its programs. */
export const moduleFile = (file: string): string => path.join(root, 'node_modules', file)

let packing: Promise<string> | undefined

/** The path of the packed package. */
export function tarball(): Promise<string> {
  return (packing ??= pack())
}

async function pack(): Promise<string> {
  const hash = createHash('sha256')
  for (const name of sources) addTo(hash, name)
  const packed = path.join(cache, `${hash.digest('hex')}.tgz`)
  if (existsSync(packed)) return packed
  mkdirSync(cache, { recursive: true })
  // Several test files need it at once: one packs it, and the others wait. If a process stands still and loses the lock, two pack the same.
  const release = await lock(cache, { retries: { retries: 1000, factor: 1, minTimeout: 200 }, onCompromised: () => undefined })
  const work = mkdtempSync(path.join(tmpdir(), 'keepsake-pack-'))
  try {
    if (existsSync(packed)) return packed
    for (const name of sources) cpSync(path.join(root, name), path.join(work, name), { recursive: true })
    symlinkSync(path.join(root, 'node_modules'), path.join(work, 'node_modules'))
    await run('npm', ['run', 'build'], { cwd: work })
    await run('npm', ['pack', '--ignore-scripts'], { cwd: work })
    removeOldEntries(cache)
    // A process that is killed in the middle must leave no torn tarball.
    const own = `${packed}.${process.pid}`
    cpSync(path.join(work, readdirSync(work).find((name) => name.endsWith('.tgz'))!), own)
    renameSync(own, packed)
    return packed
  } finally {
    rmSync(work, { recursive: true, force: true })
    await release().catch(() => undefined)
  }
}

function addTo(hash: ReturnType<typeof createHash>, name: string): void {
  const file = path.join(root, name)
  if (statSync(file).isDirectory()) for (const each of readdirSync(file).toSorted()) addTo(hash, path.join(name, each))
  else hash.update(`${name}\0`).update(readFileSync(file)).update('\0')
}

/** A project with the packed package, its dependencies, and nothing else but `extra`: packages, or packages under another name. */
export async function install(t: ExecutionContext, extra: readonly (string | readonly [name: string, from: string])[] = ['koa']): Promise<string> {
  const project = mkdtempSync(path.join(tmpdir(), 'keepsake-project-'))
  t.teardown(() => rmSync(project, { recursive: true, force: true }))
  const target = path.join(project, 'node_modules/koa-keepsake')
  mkdirSync(target, { recursive: true })
  await run('tar', ['-xzf', await tarball(), '-C', target, '--strip-components=1'])
  for (const each of [...Object.keys(manifest.dependencies), ...extra]) {
    const [name, from] = typeof each === 'string' ? [each, each] : each
    const link = path.join(project, 'node_modules', name)
    mkdirSync(path.dirname(link), { recursive: true })
    symlinkSync(moduleFile(from), link)
  }
  writeFileSync(path.join(project, 'package.json'), '{"private":true}')
  return project
}

/** What a program of a project prints. It must print no error. */
export async function runs(t: ExecutionContext, project: string, file: string, text?: string, args: readonly string[] = []): Promise<string> {
  if (text !== undefined) writeFileSync(path.join(project, file), text)
  const { stdout, stderr } = await run(process.execPath, [...args, file], { cwd: project })
  t.is(stderr.replace(/^\(node:\d+\) ExperimentalWarning.*\n.*\n/m, ''), '')
  return stdout.trim()
}

/** An application that prints `200 1`: the status, and the number of cookies. Put imports of Koa, `session` and `memoryStore` before it. */
export const app = `
const app = new Koa()
app.keys = ['a secret of more than thirty-two characters']
app.use(session({ store: memoryStore() }))
app.use((ctx) => { ctx.session.user = 'momo'; ctx.body = 'set' })
const server = app.listen(0, '127.0.0.1', async () => {
  const { status, headers } = await fetch('http://127.0.0.1:' + server.address().port)
  console.log(status, headers.getSetCookie().length)
  server.close()
})
`
