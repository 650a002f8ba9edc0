import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import type { FileStoreOptions } from '../../src/stores/file/index.js'
import { bundle } from './typescript/bundle.js'

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

/** Starts processes that use a file store. */
export function createWorkers(): { start(options: FileStoreOptions, how?: { uid?: number; openFiles?: number }): Worker; close(): Promise<void> } {
  const [script] = bundle(new URL('file-worker.ts', import.meta.url)) as [string]
  const workers = new Set<Worker>()
  // A stopped worker would stay forever if the test's own process ended.
  process.on('exit', () => {
    for (const { child } of workers) child.kill('SIGKILL')
  })

  return {
    start(options, { uid, openFiles } = {}) {
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
    }
  }
}

/** Whether a process has been stopped by a signal. */
export function isStopped({ pid }: ChildProcess): boolean {
  const state = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)
  return state?.startsWith('T') ?? false
}
