import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import Koa from 'koa'
import { secret, sessionData } from '../work.js'

/** Requests whose commands are counted, in this order: later ones use the sessions of earlier ones. */
export const requests = ['no cookie', 'read', 'refresh', 'save', 'new session', 'login', 'logout']

/** An application with koa-keepsake, and a client for it. */
export class Application {
  sessions
  /** How far its clock is ahead, in milliseconds: a session is due for a refresh without waiting. */
  ahead = 0
  #server
  #agent = new Agent({ keepAlive: true, maxSockets: 16 })

  constructor(session, store) {
    this.sessions = session({ store, keys: [secret], now: () => Date.now() + this.ahead, storeTimeout: 60_000 })
    const app = new Koa()
    app.use(this.sessions)
    app.use(async (ctx) => {
      ctx.body = 'ok'
      await handlers[ctx.path.slice(1)]?.(ctx.session)
    })
    const callback = app.callback()
    this.#server = createServer((incoming, response) => void callback(incoming, response))
  }

  async start() {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** Sends a request and returns the cookie that the browser has afterwards. */
  async send(kind, cookie) {
    const { port } = this.#server.address()
    const path = `/${kind.replaceAll(' ', '-')}`
    const sent = request({ port, host: '127.0.0.1', path, agent: this.#agent, headers: cookie === undefined ? {} : { cookie } }).end()
    const [response] = await once(sent, 'response')
    response.resume()
    await once(response, 'end')
    if (response.statusCode !== 200) throw new Error(`${kind}: the application answered ${response.statusCode}`)
    return response.headers['set-cookie']?.[0].split(';')[0] ?? cookie
  }

  async stop() {
    this.#agent.destroy()
    this.#server.close()
  }
}

let logins = 0

const handlers = {
  'read': (session) => void session.user,
  'refresh': (session) => void session.user,
  'save': (session) => void session.visits++,
  'new-session': (session) => void Object.assign(session, sessionData()),
  'login': (session) => session.loginAs(`owner-${++logins}`, { permanent: true }),
  'logout': (session) => session.destroy()
}
