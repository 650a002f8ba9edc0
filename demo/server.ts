import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createApp } from './app.js'
import { ConfigError, readConfig, type Config } from './config.js'
import { endWithLastAnswers } from './last-answers.js'
import { openStorage, type Storage } from './storage.js'
import { keptSecret } from './secret.js'

// How long a request may go on after SIGTERM before its connection is cut.
const patience = 5000

try {
  await start(readConfig(process.env))
} catch (error) {
  // session() refuses a wrong value with a TypeError. Here the value comes from the environment.
  if (!(error instanceof ConfigError) && !(error instanceof TypeError)) throw error
  console.error(`koa-keepsake demo: ${error.message}`)
  process.exitCode = 1
}

async function start(config: Config): Promise<void> {
  const options = { ...config.options, keys: config.options.keys ?? [await keptSecret(config.secretFile)] }
  const storage = await openStorage(process.env, options)
  try {
    const answer = createApp({ options, storage }).callback()
    const server = createServer((request, response) => void answer(request, response))
    endWithLastAnswers(server)
    await listen(server, config)
    stopOn(['SIGTERM', 'SIGINT'], server, storage)
    const key = config.options.keys === undefined ? `; SECRET_KEY is not set, the key made for it is kept in ${config.secretFile}` : ''
    console.log(`koa-keepsake demo: ${addressOf(server)}, sessions in ${storage.words}${key}`)
  } catch (error) {
    await storage.close()
    throw error
  }
}

async function listen(server: Server, { host, port }: Config): Promise<void> {
  server.listen(port, host)
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError(`cannot listen on ${host}, port ${port} (${error.code}): set PORT or HOST`)
  })
}

function addressOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

/** Answers the requests in progress and then closes the store. A second signal ends the process at once. */
function stopOn(signals: NodeJS.Signals[], server: Server, storage: Storage): void {
  // Browsers open connections ahead, and close() would wait for those on which no request ever came.
  const unused = new Set<Socket>()
  server.on('connection', (socket) => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  })
  server.on('request', ({ socket }) => unused.delete(socket))

  const stop = () => {
    for (const signal of signals) process.removeListener(signal, stop)
    const cut = setTimeout(() => server.closeAllConnections(), patience)
    server.close(() => {
      clearTimeout(cut)
      void storage.close()
    })
    for (const socket of unused) socket.destroy()
  }
  for (const signal of signals) process.on(signal, stop)
}
