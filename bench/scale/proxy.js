import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/**
 * A proxy between the application and a server that counts what passes it: bytes in both directions, and round trips. A round trip begins
 * with the first bytes from the application after an answer, so it counts right only while one request is in progress.
 */
export class CountingProxy {
  /** Bytes from the application to the server, bytes back, and round trips. */
  counts = { up: 0, down: 0, trips: 0 }
  #sockets = new Set()
  #server

  /** @param target the port of the server. */
  async start(target) {
    this.#server = createServer((client) => this.#join(client, connect(target, '127.0.0.1'))).listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this.#server.address().port
  }

  #join(client, server) {
    let isAnswering = true
    for (const [from, to] of [[client, server], [server, client]]) {
      this.#sockets.add(from.setNoDelay(true))
      from.on('error', () => to.destroy())
      from.on('close', () => to.end())
      from.on('data', (data) => {
        to.write(data)
        if (from === client) {
          if (isAnswering) this.counts.trips++
          this.counts.up += data.length
        } else this.counts.down += data.length
        isAnswering = from === server
      })
    }
  }

  async stop() {
    for (const socket of this.#sockets) socket.destroy()
    this.#server?.close()
  }
}
