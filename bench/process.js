// Server processes of the benchmark, and the cores that they run on.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

const canPin = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0

/** Core 0 is the measured server's, core 1 everybody else's. */
export const pinning = canPin ? 'server and load pinned to a core each' : 'not pinned to cores'

/** Moves this process, its threads and its later children away from the server's core. */
export function stepAside() {
  if (canPin) execFileSync('taskset', ['-acp', '1', String(process.pid)], { stdio: 'ignore' })
}

/** The command that runs a script of this directory on the server's core. */
export function onServerCore(script, ...args) {
  const node = [process.execPath, '--no-warnings', fileURLToPath(new URL(script, import.meta.url)), ...args]
  return canPin ? ['taskset', '-c', '0', ...node] : node
}

/** Starts a server process of a variant, with settings that can be JSON, and waits until it listens. */
export async function startServer(variant, settings) {
  const [program, ...args] = onServerCore('server.js', variant, JSON.stringify(settings))
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env: { ...process.env, NODE_ENV: 'production' } })

  function next() {
    return new Promise((resolve, reject) => {
      const failed = () => reject(new Error(`the server of ${variant} ended`))
      child.once('exit', failed)
      child.once('message', (message) => {
        child.off('exit', failed)
        resolve(message)
      })
    })
  }

  const { port } = await next()
  return {
    port,
    async tell(command, argument) {
      const answer = next()
      child.send({ command, argument })
      return (await answer).answer
    },
    async stop() {
      if (!child.connected) return
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    }
  }
}
