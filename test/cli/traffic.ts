import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import Koa from 'koa'
import { endWithLastAnswers } from '../../demo/last-answers.js'
import { session, type SessionStore } from '../../src/index.js'
import { Client, type Answer } from '../support/client.js'
import { freePort } from '../support/redis.js'
import { routesOf, secret } from '../support/story.js'

/** An application that is stopped and started on the same port, each time with the store that it is given. */
export class Application {
  readonly #port: number
  readonly #seal: boolean
  #server: Server | undefined

  private constructor(port: number, seal: boolean) {
    this.#port = port
    this.#seal = seal
  }

  /** @param seal the option of `session()`. */
  static async create(seal: boolean): Promise<Application> {
    return new Application(await freePort(), seal)
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  async start(store: SessionStore): Promise<void> {
    const app = new Koa()
    app.keys = [secret]
    app.use(session({ store, touchAfter: 0, storeTimeout: 60_000, seal: this.#seal }))
    app.use(routesOf({
      '/': (ctx) => ({ user: ctx.session.owner, visits: ctx.session['visits'] }),
      '/visit': (ctx) => ctx.session.increment('visits'),
      '/login': (ctx) => ctx.session.loginAs(String(ctx.query['user'])),
      '/renew': (ctx) => ctx.session.regenerate(),
      '/logout': (ctx) => ctx.session.destroy()
    }))
    const answer = app.callback()
    this.#server = createServer((request, response) => void answer(request, response))
    endWithLastAnswers(this.#server)
    await once(this.#server.listen(this.#port, '127.0.0.1'), 'listening')
  }

  /** Answers the requests that have arrived, and stops. */
  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return
    await new Promise((resolve) => server.close(resolve))
  }
}

/** A user with a browser, who knows what the application has confirmed. */
export class Person {
  readonly name: string
  readonly #client: Client
  /** Browsers with a cookie that opened a session once, and must not any more. */
  readonly #former: Client[] = []
  #visits = 0
  #isLoggedIn = false

  constructor(name: string, origin: string) {
    this.name = name
    this.#client = new Client(origin)
  }

  async logIn(): Promise<void> {
    this.#leaveCookie()
    await this.#send(`/login?user=${this.name}`)
    this.#isLoggedIn = true
  }

  /** Visits from two tabs at once. */
  async visit(): Promise<void> {
    await Promise.all([this.#send('/visit'), this.#send('/visit')])
    this.#visits += 2
  }

  async renew(): Promise<void> {
    this.#leaveCookie()
    await this.#send('/renew')
  }

  async logOut(): Promise<void> {
    this.#leaveCookie()
    await this.#send('/logout')
    this.#visits = 0
    this.#isLoggedIn = false
  }

  /** Compares what the application knows with what it has confirmed. Returns what is wrong. */
  async problems(): Promise<string[]> {
    const expected = this.#isLoggedIn ? { user: this.name, visits: this.#visits } : {}
    const found = (await this.#send('/')).json
    const wrong = isSame(found, expected) ? [] : [`${this.name} has ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`]
    for (const [at, former] of this.#former.entries()) {
      const opened = (await send(former, '/')).json
      if (!isSame(opened, {})) wrong.push(`the former cookie ${at} of ${this.name} opens ${JSON.stringify(opened)}`)
    }
    return wrong
  }

  #leaveCookie(): void {
    if (this.#client.cookies.length > 0) this.#former.push(this.#client.copy())
  }

  #send(path: string): Promise<Answer> {
    return send(this.#client, path)
  }
}

/** For how long a request is sent again while the application is stopped, in milliseconds. */
const patience = 60_000

/**
 * Sends a request, again and again while the application is stopped. When it stops, the connections from which it has not read a request
 * are reset, so that such a request was not carried out.
 */
async function send(client: Client, path: string): Promise<Answer> {
  for (const end = Date.now() + patience; ; ) {
    try {
      const answer = await client.get(path)
      if (answer.status >= 400) throw new Error(`${path} answered ${answer.status}`)
      return answer
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException
      if (!['ECONNREFUSED', 'ECONNRESET'].includes(code) || Date.now() > end) throw error
      await delay(5)
    }
  }
}

/** People who use the application all the time, each doing one thing after another. */
export class Traffic {
  readonly people: readonly Person[]
  #steps = 0
  #isOver = false
  #ends: Promise<void>[] = []

  constructor(people: readonly Person[]) {
    this.people = people
  }

  begin(): void {
    this.#ends = this.people.map((person, at) => this.#use(person, at))
  }

  async end(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#ends)
  }

  /** Waits until the people have done that many things more. */
  async pass(steps: number): Promise<void> {
    for (const end = this.#steps + steps; this.#steps < end; ) await Promise.race([...this.#ends, delay(5)])
  }

  /** The people begin at different points, so that at any moment some log in, some log out and some get a new sid. */
  async #use(person: Person, start: number): Promise<void> {
    const actions = [() => person.logIn(), () => person.visit(), () => person.renew(), () => person.visit(), () => person.visit(), () => person.renew(), () => person.visit(), () => person.logOut()]
    await person.logIn()
    for (let at = start; !this.#isOver; at++) {
      await actions[at % actions.length]!()
      this.#steps++
    }
  }
}

function isSame(one: unknown, other: object): boolean {
  return plain(one) === plain(other)
}

/** A person without visits may have no number of them. */
function plain(value: unknown): string {
  const { user, visits } = value as { user?: string; visits?: number }
  return JSON.stringify([user, visits ?? 0])
}
