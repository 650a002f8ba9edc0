// Clients inside the server's process: their requests meet no socket and no parser, so that what is measured varies by a few percent only.
import { IncomingMessage, ServerResponse } from 'node:http'
import { pathOf } from './work.js'

/** How many requests are under way at once. */
const connections = 32

export class InnerClients {
  #handle
  #cookies = []

  /** @param handle the application as a handler of Node's requests. */
  constructor(handle) {
    this.#handle = handle
  }

  /** Makes clients, each with a session of its own. */
  async open(sessions) {
    for (let client = 0; client < sessions; client++) {
      const response = await this.#request('new')
      const lines = [response.getHeader('set-cookie') ?? []].flat()
      this.#cookies.push(lines.map((line) => line.split(';')[0]).join('; '))
    }
  }

  /** Sends requests of one kind and returns the CPU time of each, in µs. */
  async window(kind, count) {
    let sent = 0
    const work = async () => {
      while (sent < count) {
        const cookie = this.#cookies[sent++ % this.#cookies.length]
        await this.#request(kind, hasCookie(kind) ? cookie : undefined)
      }
    }
    const before = process.cpuUsage()
    await Promise.all(Array.from({ length: connections }, work))
    const { user, system } = process.cpuUsage(before)
    return (user + system) / count
  }

  async #request(kind, cookie) {
    const request = new IncomingMessage(null)
    request.method = 'GET'
    request.url = pathOf(kind, 0)
    request.headers = { host: 'localhost', ...(cookie && { cookie }) }
    request.socket = { encrypted: false, remoteAddress: '127.0.0.1' }
    const response = new ServerResponse(request)
    await this.#handle(request, response)
    if (response.statusCode !== 200) throw new Error(`${request.url} was answered with ${response.statusCode}`)
    return response
  }
}

function hasCookie(kind) {
  return kind !== 'none' && kind !== 'new'
}
