// The load: keep-alive connections on raw sockets, which cost a fraction of what any of the servers costs.
import { once } from 'node:events'
import { connect } from 'node:net'

/**
 * Sends at most `total` requests over `connections` connections, one at a time on each, and starts none after `seconds`.
 * `requestOf(n)` is the text of the n-th, `answered(n, response)` gets its response: `{ head, body }`. Any status but 200
 * is an error, and so is what `answered` throws. Answers how many were answered, and how long that took.
 *
 * With `shared`, numbers are below that, and each connection goes round those of its own: as long as there are enough, no
 * two requests of one client are under way at once.
 */
export async function load({ port, total, shared, seconds = Infinity, connections, requestOf, answered }) {
  const sockets = await openSockets(port, Math.min(connections, total))
  try {
    return await new Promise((resolve, reject) => {
      let sent = 0
      let done = 0
      const started = performance.now()

      function use(socket, connection) {
        const share = shared && Math.max(1, Math.ceil((shared - connection) / connections))
        let turn = 0
        let number = 0
        let text = ''
        const send = () => {
          if (sent === total || performance.now() - started > seconds * 1000) return
          number = shared ? (connection + connections * (turn++ % share)) % shared : sent
          sent++
          socket.write(requestOf(number), 'latin1')
        }
        socket.on('error', reject)
        socket.on('end', () => reject(new Error('the server ended a connection')))
        socket.on('data', (chunk) => {
          text = text === '' ? chunk : text + chunk
          const end = text.indexOf('\r\n\r\n')
          if (end === -1) return
          const length = /\r\ncontent-length: (\d+)/i.exec(text)
          const size = end + 4 + (length ? Number(length[1]) : 0)
          if (text.length < size) return
          const head = text.slice(0, end + 2)
          const body = text.slice(end + 4, size)
          text = ''
          try {
            if (!head.startsWith('HTTP/1.1 200')) throw new Error(`unexpected answer: ${head}${body}`)
            answered?.(number, { head, body })
          } catch (error) {
            return reject(error)
          }
          done++
          send()
          if (done === sent) resolve({ count: done, seconds: (performance.now() - started) / 1000 })
        })
        send()
      }

      sockets.forEach(use)
    })
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}

/** The clock starts when all of them are connected. */
function openSockets(port, count) {
  const opening = Array.from({ length: count }, async () => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.setEncoding('latin1')
    await once(socket, 'connect')
    return socket
  })
  return Promise.all(opening)
}

/** Clients that keep their cookies, as browsers do. The first of them has the number `first` among all clients of a server. */
export class Clients {
  #cookies

  constructor(count, first = 0) {
    this.first = first
    this.#cookies = Array.from({ length: count }, () => new Map())
    this.headers = Array.from({ length: count }, () => '')
  }

  get count() {
    return this.headers.length
  }

  request(number, path) {
    return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${this.headers[number % this.count]}\r\n`
  }

  /** Keeps the cookies of a response. */
  keep(number, head) {
    if (!/\r\nset-cookie: /i.test(head)) return
    const jar = this.#cookies[number % this.count]
    for (const [, name, value] of head.matchAll(/\r\nset-cookie: ([^=]+)=([^;\r]*)/gi)) jar.set(name, value)
    this.headers[number % this.count] = `Cookie: ${[...jar].map(([name, value]) => `${name}=${value}`).join('; ')}\r\n`
  }
}
