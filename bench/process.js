// Server processes of the benchmark, and the cores that they run on.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, connect } from 'node:net'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'

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

/** A Redis without persistence on a free port, on the load's core. */
export async function startRedis(dir) {
  const port = await freePort()
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir]
  const child = spawn('redis-server', options, { stdio: 'ignore' })
  await once(child, 'spawn')
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries === 200) throw new Error('redis-server does not answer')
    await delay(20)
  }

  return {
    port,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill()
      await ended
    }
  }
}

export function redisVersion() {
  return execFileSync('redis-server', ['--version'], { encoding: 'utf8' }).match(/v=(\S+)/)[1]
}

/** Whether there is a Redis at the port. */
function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    socket.on('error', () => resolve(false))
    socket.on('data', (data) => {
      socket.destroy()
      resolve(String(data).startsWith('+PONG'))
    })
  })
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return port
}
