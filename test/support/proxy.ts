import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import type { Cleanup } from './app.js'

/** A network between a client and a server that can stall. */
export interface Proxy {
  port: number
  /** What the client sends from now on stays on the way. */
  hold(): void
  /** It arrives, in order. */
  release(): void
  /** How many bytes are on the way. */
  readonly held: number
}

export async function startProxy(t: Cleanup, port: number): Promise<Proxy> {
  const sockets = new Set<Socket>()
  const waiting: (() => void)[] = []
  let holding = false
  let held = 0
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
    }
    upstream.pipe(client)
    client.on('data', (bytes) => {
      if (!holding) return void upstream.write(bytes)
      held += bytes.length
      waiting.push(() => upstream.write(bytes))
      return undefined
    })
    client.on('close', () => upstream.end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    hold: () => void (holding = true),
    release() {
      holding = false
      held = 0
      for (const send of waiting.splice(0)) send()
    },
    get held() {
      return held
    }
  }
}
