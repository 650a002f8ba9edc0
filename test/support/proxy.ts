import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import type { Cleanup } from './app.js'

/** A connection between a client and a server that can stall, lose answers, and lead to another server. */
export interface Proxy {
  readonly port: number
  /** Delays the bytes that the client sends from now on. */
  hold(): void
  /** Sends the delayed bytes, in order. */
  release(): void
  /** How many bytes are delayed. */
  readonly held: number
  /** Drops the answers of the server, from now on or from the next command that matches, until `cut()`. */
  loseAnswers(from?: RegExp): void
  /** How many bytes of answers were dropped. */
  readonly lost: number
  /** Breaks every connection. New ones work. */
  cut(): void
  /** Breaks every connection. New ones lead to the server at that port. */
  switchTo(port: number): void
}

export async function startProxy(t: Cleanup, serverPort: number): Promise<Proxy> {
  const sockets = new Set<Socket>()
  const waiting: (() => void)[] = []
  let target = serverPort
  let holding = false
  let held = 0
  let losing = false
  let losingFrom: RegExp | undefined
  let lost = 0
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => sockets.delete(socket))
    }
    upstream.on('data', (bytes) => {
      if (losing) lost += bytes.length
      else client.write(bytes)
    })
    client.on('data', (bytes) => {
      if (losingFrom?.test(String(bytes))) losing = true
      if (!holding) return void upstream.write(bytes)
      held += bytes.length
      waiting.push(() => upstream.write(bytes))
      return undefined
    })
    client.on('close', () => upstream.end())
    upstream.on('close', () => client.end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    losing = false
    losingFrom = undefined
    for (const socket of sockets) socket.destroy()
  }
  t.teardown(() => {
    cut()
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
    },
    loseAnswers(from) {
      losing = from === undefined
      losingFrom = from
      lost = 0
    },
    get lost() {
      return lost
    },
    cut,
    switchTo(port) {
      target = port
      cut()
    }
  }
}
