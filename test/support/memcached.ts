import { spawnSync } from 'node:child_process'
import { connect } from 'node:net'
import type { TestFn } from 'ava'
import { MemcacheClient } from 'memcache-client'
import type { Cleanup } from './app.js'
import { freePort, until } from './redis.js'
import { needs } from './needs.js'
import { ServerProcess } from './server-process.js'

/** Real memcached servers, each on a free loopback port. */
export const hasMemcached = spawnSync('memcached', ['-V']).status === 0

/** AVA's `test`, or one that skips everything where the server is missing (needs.ts). */
export function needsMemcached(test: TestFn): TestFn {
  return needs(test, hasMemcached, 'memcached', 'memcached is missing: apt-get install memcached')
}

export interface MemcachedServer {
  readonly port: number
  /** `127.0.0.1:port` */
  readonly address: string
  /** Sends lines and returns the answer of memcached, up to a line that ends an answer. */
  ask(text: string): Promise<string>
  /** SIGSTOP: it holds its connections and answers nobody. */
  pause(): Promise<void>
  resume(): void
  /** kill -9. */
  kill(): Promise<void>
  /** On the same port, and empty. */
  start(): Promise<void>
}

/** Starts a server that ends with the test; arguments are memcached's. */
export async function startMemcached(t: Cleanup, ...args: string[]): Promise<MemcachedServer> {
  const port = await freePort()
  const child = new ServerProcess('memcached', '-l', '127.0.0.1', '-p', String(port), '-U', '0', '-m', '16', ...asNobody, ...args)
  const server: MemcachedServer = {
    port,
    address: `127.0.0.1:${port}`,
    ask: (text) => ask(port, text),
    pause: () => child.pause(),
    resume: () => child.resume(),
    kill: () => child.kill(),
    async start() {
      child.start({ stdio: 'ignore' })
      await until(`memcached listens on ${port}`, async () => (await ask(port, 'version')).startsWith('VERSION'))
    }
  }
  t.teardown(() => server.kill())
  await server.start()
  return server
}

/**
 * A client of the driver that ends with the test.
 *
 * @param cmdTimeout in milliseconds. The default is long, because slowness on a busy machine is no failure.
 */
export function connectMemcached(t: Cleanup, server: string, cmdTimeout = 60_000): MemcacheClient {
  const client = new MemcacheClient({ server, cmdTimeout, connectTimeout: cmdTimeout, noDelay: true })
  t.teardown(() => client.shutdown())
  return client
}

/** How often each kind of command was called since the server started, without the commands that read these numbers. */
export async function commandCounts(server: MemcachedServer): Promise<{ gets: number; stores: number; deletes: number; touches: number }> {
  const stats = await server.ask('stats')
  const count = (name: string): number => Number(new RegExp(`^STAT ${name} (\\d+)`, 'm').exec(stats)?.[1])
  const deletes = count('delete_hits') + count('delete_misses')
  return { gets: count('cmd_get'), stores: count('cmd_set'), deletes, touches: count('cmd_touch') }
}

const asNobody = process.getuid?.() === 0 ? ['-u', 'nobody'] : []

function ask(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${text}\r\n`))
    let answer = ''
    socket.setEncoding('utf8')
    socket.on('data', (part: string) => {
      answer += part
      if (!/(^|\n)(END|EN|HD.*|VERSION .*|STORED|NOT_STORED|EXISTS|NOT_FOUND|DELETED|OK|.*ERROR.*)\r\n$/.test(answer)) return
      socket.destroy()
      resolve(answer)
    })
    socket.on('error', reject)
    socket.on('end', () => reject(new Error('memcached ended the connection')))
  })
}
