import { fork, type ChildProcess } from 'node:child_process'
import { on, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { Client } from '../../support/client.js'
import { SnippetProject } from '../snippet-project.js'
import { root, snippetsOf } from '../snippets.js'
import { runTypeScript } from '../../support/typescript/option.js'

// The programs of docs/guides/several-processes.md, in processes of their own.

const [clustered = '', ending = ''] = snippetsOf('docs/guides/several-processes.md').map(({ code }) => code)
const project = new SnippetProject({
  'cluster.ts': `${clustered.replace('availableParallelism()', '2')}\ncluster.on('listening', (_worker, { port }) => process.send?.(port))`,
  'ending.ts': `import Koa from 'koa'\nimport { session } from 'koa-keepsake'\n${ending}\nserver.on('listening', () => process.send?.((server.address() as { port: number }).port))`
})
test.after.always(() => project.remove())

test('the programs compile under strict', async (t) => {
  t.is(await project.compile(), '')
})

function start(t: ExecutionContext, name: string): ChildProcess {
  const dir = mkdtempSync(join(tmpdir(), 'keepsake-processes-'))
  const env = { ...process.env, SECRET_KEY: 'a secret of more than thirty-two characters', SESSION_DIR: dir, PORT: '0', SHOP_PORT: '0' }
  const child = fork(project.pathOf(name), { cwd: fileURLToPath(root), execArgv: [runTypeScript], env })
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    rmSync(dir, { recursive: true, force: true })
  })
  return child
}

test('the workers of the cluster count the visits of one session exactly, and a worker that ends is replaced', async (t) => {
  const primary = start(t, 'cluster.ts')
  const messages = on(primary, 'message')
  const nextPort = async () => ((await messages.next()).value as [number])[0]
  const port = await nextPort()
  await nextPort()
  const client = new Client(`http://127.0.0.1:${port}`)
  const visit = async () => (await client.get('/')).json as { pid: number; visits: number }
  const { pid } = await visit()
  const pids = await Promise.all(Array.from({ length: 9 }, async () => (await visit()).pid))
  t.is(new Set([pid, ...pids]).size, 2)
  process.kill(pid, 'SIGKILL')
  await nextPort()
  t.is((await visit()).visits, 11)
})

test('a process that gets SIGTERM closes its store and ends, also when a proxy keeps its connections busy', async (t) => {
  const child = start(t, 'ending.ts')
  const [port] = (await once(child, 'message')) as [number]
  const exit = once(child, 'exit')
  const client = new Client(`http://127.0.0.1:${port}`)
  const answered = await client.get('/')
  t.is(answered.status, 404)
  const busy = Array.from({ length: 4 }, async () => {
    while (await client.get('/').catch(() => undefined));
  })
  t.teardown(() => Promise.all(busy))
  child.kill('SIGTERM')
  // Without the channel to this process, nothing but a timer or a server of the program keeps it alive.
  child.disconnect()
  t.deepEqual(await exit, [0, null])
})
