import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { fileStore, storeFromUrl } from '../../src/index.js'
import { runCommand } from '../support/cli.js'
import { contentsOf, seed, sessionOf } from '../support/cli-sessions.js'
import { needsRedis, startRedis } from '../support/redis.js'
import { readPage, root } from './snippets.js'

// Every line of the shell snippets in docs/command.md runs as it stands, in the order of the page, in the directory of one application.

const page = readPage('docs/command.md')
const lines = Array.from(page.matchAll(/^ *```sh\n(.*?)^ *```/gms), ([, code]) => code!).join('').split('\n').map((line) => line.trim()).filter((line) => line !== '')

needsRedis(test).serial('every command of docs/command.md runs, and does what the page says', async (t) => {
  const redis = await startRedis()
  t.teardown(redis.stop)
  const project = mkdtempSync(join(tmpdir(), 'keepsake-command-'))
  t.teardown(() => rmSync(project, { recursive: true }))
  symlinkSync(fileURLToPath(new URL('node_modules', root)), join(project, 'node_modules'))
  mkdirSync(join(project, 'var'))
  process.chdir(project)
  const store = fileStore({ dir: join(project, 'var/sessions') })
  t.teardown(() => store.close!())
  const fill = () => seed(store, [{ id: idFrom('07bd5e91a3c4') }, { id: idFrom('3f9a12c0d4e5'), owner: '17' }, { owner: '17' }, { owner: '18' }])
  let records = await fill()

  t.is(lines.length, 12)
  for (const line of lines) {
    const words = line.replaceAll('redis://localhost:6379', redis.url).split(' ')
    const at = words.indexOf('npx')
    t.deepEqual(words.slice(at, at + 2), ['npx', 'koa-keepsake'])
    const env = Object.fromEntries(words.slice(0, at).map((word) => word.split(/=(.*)/s) as [string, string]))
    const { status, stdout, stderr } = await runCommand(words.slice(at + 2), { env })
    t.is(status, 0, `${line}\n${stdout}${stderr}`)
    if (line.includes('list --store') && !line.includes('--owner')) t.true(records.every((record) => stdout.includes(record.id)), stdout)
    if (line.includes('show')) t.regex(stdout, /^owner: +17$/m)
    if (line.includes('--owner 17 --yes')) t.deepEqual([...(await contentsOf(store)).values()].map((each) => (each as { owner?: string }).owner), ['18'])
    if (line.includes('prune')) records = [...records.slice(3), ...(await fill())]
    if (line.includes('copy')) t.regex(stdout, /^left out +0 +none$/m)
  }
  const copied = storeFromUrl(redis.url)
  t.teardown(() => copied.close!())
  t.deepEqual([...(await contentsOf(copied)).keys()].toSorted(), records.map((record) => record.id).toSorted())
  t.deepEqual(readdirSync(project).toSorted(), ['node_modules', 'var'], 'nothing else was created')
  t.false(existsSync(join(project, 'sessions')))
})

test.serial('docs/command.md describes every subcommand and every option', async (t) => {
  const subcommands = Array.from((await help()).matchAll(/^ {2}(\w+) \[/gm), ([, name]) => name!).filter((name) => name !== 'help')
  t.deepEqual(subcommands, ['list', 'show', 'end', 'prune', 'copy', 'check'])
  for (const name of subcommands) {
    t.true(page.includes(`npx koa-keepsake ${name}`), name)
    for (const [, option] of (await help(name)).matchAll(/(--[\w-]+)/g)) t.true(page.includes(option!) || option === '--help', `${name} ${option}`)
  }
})

/** A random id that begins with these digits, as the page names sessions. */
function idFrom(start: string): string {
  return start + sessionOf().id.slice(start.length)
}

async function help(...args: string[]): Promise<string> {
  return (await runCommand([...args, '--help'])).stdout
}
