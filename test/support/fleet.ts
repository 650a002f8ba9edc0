import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { SessionStore } from '../../src/index.js'
import { startApp } from './app.js'
import { createRaceApp } from './race-app.js'
import type { Options } from './story.js'
import { bundle } from './typescript/bundle.js'

/** Servers that run the application of the races over the same sessions. */
export interface Fleet {
  origins: string[]
  /** The processes of the servers. Empty if all servers are in this process. */
  processes: ChildProcess[]
  close(): Promise<void>
}

/** Servers in this process. Each of them may have a store object of its own. @param options more options of their `session()`. */
export async function startServers(stores: SessionStore[], options: Options = {}): Promise<Fleet> {
  const teardowns: (() => unknown)[] = []
  const cleanup = { teardown: (fn: () => unknown) => void teardowns.push(fn) }
  const origins = await Promise.all(stores.map((store) => startApp(cleanup, createRaceApp(store, options))))
  return {
    origins,
    processes: [],
    async close() {
      for (const teardown of teardowns) await teardown()
      for (const store of stores) await store.close?.()
    }
  }
}

/**
 * Servers in processes of their own.
 *
 * @param module URL of a module whose default export makes the store from the argument: `(argument: string) => SessionStore`,
 * or a promise of one.
 * @param options more options of `session()`, as far as JSON has them.
 */
export async function startProcesses(count: number, module: URL, argument: string, options: Options = {}): Promise<Fleet> {
  const [server, store] = bundleOf(module) as [string, string]
  const processes = Array.from({ length: count }, () => fork(server, [store, argument, JSON.stringify(options)], { execArgv: [] }))
  const origins = await Promise.all(processes.map(started))
  return {
    origins,
    processes,
    async close() {
      await Promise.all(processes.map(ended))
    }
  }
}

/** A fleet that takes more with it when it is closed. */
export function closingToo(fleet: Fleet, ...others: (() => unknown)[]): Fleet {
  return {
    ...fleet,
    async close() {
      await fleet.close()
      for (const close of others) await close()
    }
  }
}

const bundles = new Map<string, string[]>()

function bundleOf(store: URL): string[] {
  const bundled = bundles.get(store.href) ?? bundle(new URL('race-server.ts', import.meta.url), store)
  bundles.set(store.href, bundled)
  return bundled
}

async function started(child: ChildProcess): Promise<string> {
  const exit = once(child, 'exit').then(([code]) => {
    throw new Error(`a server of the fleet ended with ${String(code)} before it had started`)
  })
  const [origin] = (await Promise.race([once(child, 'message'), exit])) as [string]
  exit.catch(() => {})
  return origin
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}
