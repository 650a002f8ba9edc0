import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FileStoreOptions } from '../../src/stores/file/index.js'

export type Method = 'read' | 'create' | 'update' | 'destroy'

/** A task for a worker. */
export type Order =
  | { task: 'churn'; worker: string; ids: readonly string[] }
  | { task: 'count'; id: string; times: number; key: string }
  | { task: 'race'; ids: readonly string[]; destroys: boolean }
  | { task: 'fill'; records: number; lifetime: number }
  | { task: 'login'; owner: string }
  | { task: 'stop'; before: string; nth?: number; id: string; method: Method }
  | { task: 'rush'; reads: number; id: string }
  | { task: 'one'; method: Method; id: string }

export interface Worker {
  child: ChildProcess
  send(order: Order): void
  /** The next message. */
  next(): Promise<unknown>
  /** Called for each message. */
  onMessage(listener: (message: unknown) => void): void
  /** Ends it and waits until it has gone. */
  kill(signal?: NodeJS.Signals): Promise<void>
}

/**
 * Processes that use a file store. They run plain JavaScript: with two hundred starts, the loader of TypeScript would take most of the time.
 */
export function createWorkers(): { start(options: FileStoreOptions, how?: { uid?: number; openFiles?: number }): Worker; close(): Promise<void> } {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const cache = path.join(root, 'node_modules', '.cache')
  fs.mkdirSync(cache, { recursive: true })
  // Below node_modules, so that the workers find the dependencies of the package.
  const built = fs.mkdtempSync(path.join(cache, 'file-worker-'))
  fs.chmodSync(built, 0o755)
  fs.writeFileSync(path.join(built, 'package.json'), '{"type":"module"}')
  fs.writeFileSync(
    path.join(built, 'tsconfig.json'),
    JSON.stringify({
      extends: path.join(root, 'tsconfig.json'),
      compilerOptions: { noEmit: false, outDir: built, rootDir: root, typeRoots: [path.join(root, 'node_modules', '@types')] },
      include: [],
      files: [path.join(root, 'test/support/file-worker.ts')]
    })
  )
  execFileSync(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', built], { stdio: 'inherit' })
  const workers = new Set<Worker>()
  // A stopped worker would stay forever if the test's own process ended.
  process.on('exit', () => {
    for (const { child } of workers) child.kill('SIGKILL')
  })

  return {
    start(options, { uid, openFiles } = {}) {
      const script = path.join(built, 'test/support/file-worker.js')
      const command = openFiles === undefined ? [process.execPath] : ['prlimit', `--nofile=${openFiles}:${openFiles}`, process.execPath]
      const child = spawn(command[0]!, [...command.slice(1), script, JSON.stringify(options)], {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        ...(uid === undefined ? {} : { uid, gid: uid })
      })
      const exited = once(child, 'exit')
      const worker: Worker = {
        child,
        send: (order) => void child.send(order, () => undefined),
        async next() {
          const [message] = (await Promise.race([
            once(child, 'message'),
            exited.then(() => {
              throw new Error('the worker ended')
            })
          ])) as [unknown]
          return message
        },
        onMessage: (listener) => void child.on('message', listener),
        async kill(signal = 'SIGKILL') {
          workers.delete(worker)
          child.kill(signal)
          await exited
        }
      }
      workers.add(worker)
      return worker
    },
    async close() {
      await Promise.all([...workers].map((worker) => worker.kill()))
      fs.rmSync(built, { recursive: true, force: true })
    }
  }
}

/** Whether a process has been stopped by a signal. */
export function isStopped({ pid }: ChildProcess): boolean {
  const state = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)
  return state?.startsWith('T') ?? false
}
