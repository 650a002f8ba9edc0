// One server process of a variant, with its clients and their sessions.
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Clients, load } from './load.js'
import { startServer } from './process.js'
import { kindsOf, variants } from './variants/index.js'
import { leavesRecords, pathOf, sessionsPerOwner } from './work.js'

/** How long the number of files must stay the same until a directory counts as at rest, in milliseconds: evictions begin within a second. */
const restAfter = 1500

/**
 * Of the plan: `sessions` and `connections`; at most `requests` in a window of at most `seconds`, and twice at most `warmUp` of each kind in
 * `warmUpSeconds` before; of the kinds that leave records, `recordShare` of both numbers. A store that is filled holds `threshold` sessions,
 * and a window creates as many. `settings` are the server's, and `kinds` the kinds of request: by default the variant's. With `cookiesFrom`,
 * clients send what it makes of their cookies and keep none that they are sent.
 */
export class VariantServer {
  #name
  #plan
  #dir
  #server
  #clients
  #strangers = new Clients(1)
  /** Where the clients log in: others, who never do. */
  #anonymous = new Clients(0)
  /** How many clients there were. */
  #known
  #hasSessions
  /** The sum that the counters of all sessions must have. */
  #expected = 0
  #records = 0

  constructor(name, plan) {
    this.#name = name
    this.#plan = plan
    this.#clients = new Clients(plan.sessions)
    this.#known = plan.sessions
    this.kinds = plan.kinds ?? kindsOf(name)
  }

  /** Starts the process. Each client has a session then, and every kind of request has been sent twice. */
  async start(backend) {
    const { cookiesFrom, dir, settings, warmUp, seconds, warmUpSeconds = seconds } = this.#plan
    const { before, settings: ownSettings } = variants[this.#name]
    this.#dir = await mkdtemp(join(dir, 'bench-sessions-'))
    this.#server = await startServer(this.#name, { ...backend, dir: this.#dir, ...settings, ...ownSettings?.(this.#plan) })
    if (before === 'fill') await this.#fill()
    else await this.#openSessions()
    if (before === 'login') {
      await this.#once(this.#clients, 'login')
      this.#anonymous = await this.#openVisitors(this.#clients.count)
      this.#expected += this.#anonymous.count
    }
    if (cookiesFrom) this.#clients.headers = this.#clients.headers.map(cookiesFrom)
    // Until it has been warm for a while, a server also pays for its compiler, which works in threads of its own: that would be counted as
    // the cost of whoever has more code.
    for (const kind of [...this.kinds, ...this.kinds]) await (await this.#prepare(kind, warmUp, warmUpSeconds))()
  }

  /**
   * Answers how many requests of a kind were answered, in how many seconds, and how much CPU time the server took for them, in µs.
   *
   * The collector is not asked to run before: a forced collection throws compiled code away, after which bare Koa costs five times as much.
   */
  async window(kind) {
    const { profileTo, requests, seconds } = this.#plan
    const run = await this.#prepare(kind, requests, seconds)
    if (profileTo) await this.#server.tell('profile')
    const before = await this.#server.tell('usage')
    const window = await run()
    const after = await this.#server.tell('usage')
    if (profileTo) await this.#server.tell('profiled', join(profileTo, `${this.#name.replaceAll(/[/ ]/g, '-')}-${kind}.cpuprofile`))
    return { ...window, cpu: after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system }
  }

  /** The resident memory in bytes. */
  async memory() {
    return (await this.#server.tell('usage')).memory
  }

  /** How many writes are not there; `undefined` where there is nothing to look for. */
  async lost() {
    if (!this.#hasSessions) return undefined
    let sum = 0
    for (const clients of [this.#clients, this.#anonymous]) await this.#once(clients, 'visits', (_, { body }) => (sum += Number(body)))
    return this.#expected - sum
  }

  async stop() {
    await this.#server?.stop()
    if (this.#dir) await rm(this.#dir, { recursive: true })
  }

  /** Opens a session for each client, unless the variant has none. */
  async #openSessions() {
    let opened = 0
    await this.#once(this.#clients, 'new', (_, { head }) => (opened += /\r\nset-cookie: /i.test(head) ? 1 : 0))
    const { count, headers } = this.#clients
    if (opened > 0 && opened < count) throw new Error(`only ${opened} of ${count} sessions were opened`)
    this.#hasSessions = opened > 0
    this.#expected = opened
    // A browser also sends cookies to an application without sessions: this is somebody else's, of the usual size.
    if (opened === 0) headers.fill(`Cookie: session=${'x'.repeat(43)}.${'x'.repeat(43)}\r\n`)
  }

  /** Clients with a session each, in which nobody has logged in. */
  async #openVisitors(count) {
    const visitors = new Clients(count, this.#known)
    this.#known += count
    await this.#once(visitors, 'new')
    return visitors
  }

  /** Sends one request of each client. */
  async #once(clients, kind, answered) {
    if (clients.count === 0) return
    await this.#load(clients, kind, {
      total: clients.count,
      answered(number, response) {
        clients.keep(number, response.head)
        answered?.(number, response)
      }
    })
  }

  /** Answers a function that sends at most so many requests of a kind, for at most so many seconds. */
  async #prepare(kind, most, seconds) {
    const { recordShare = 1, cookiesFrom } = this.#plan
    if (variants[this.#name].before === 'fill') return () => this.#createAndRest()
    const total = leavesRecords.has(kind) ? most * recordShare : most
    const clients = await this.#clientsFor(kind, total)
    return async () => {
      const window = await this.#load(clients, kind, {
        total,
        seconds,
        // A visitor logs in once.
        shared: kind === 'login' ? undefined : clients.count,
        answered: (number, { head, body }) => {
          if (kind === 'devices' && body !== String(sessionsPerOwner)) throw new Error(`an owner has ${body} sessions instead of ${sessionsPerOwner}`)
          if ((kind === 'regenerate' || kind === 'login') && !/\r\nset-cookie: /i.test(head)) throw new Error(`${kind} gave no new sid`)
          if (clients !== this.#strangers && !cookiesFrom) clients.keep(number, head)
        }
      })
      if (kind === 'write' && this.#hasSessions) this.#expected += window.count
      return window
    }
  }

  async #clientsFor(kind, total) {
    if (kind === 'none' || kind === 'new') return this.#strangers
    if (kind === 'regenerate') return this.#anonymous
    return kind === 'login' ? this.#openVisitors(total) : this.#clients
  }

  /** Creates as many sessions as the threshold allows. */
  async #fill() {
    const { threshold } = this.#plan
    const window = await this.#load(this.#strangers, 'new', { total: threshold, shared: 1 })
    this.#records += threshold
    return window
  }

  /** Creates sessions, and waits until the store has removed as many as it must, so that this is part of the window. */
  async #createAndRest() {
    const window = await this.#fill()
    const { threshold } = variants[this.#name].settings(this.#plan).storeOptions
    const held = await this.#atRest(threshold)
    const least = Math.min(this.#records, Math.ceil(0.9 * threshold))
    if (held < least) throw new Error(`${held} sessions are left instead of at least ${least}`)
    this.#records = held
    return window
  }

  /** How many sessions there are when the store has removed those over the threshold. */
  async #atRest(threshold) {
    const end = performance.now() + 60_000
    let held = -1
    for (let since = performance.now(); held > threshold || performance.now() - since < restAfter; await delay(100)) {
      if (performance.now() > end) throw new Error(`there are still ${held} sessions at a threshold of ${threshold}`)
      const count = readdirSync(this.#dir).filter((file) => file.endsWith('.json')).length
      if (count !== held) since = performance.now()
      held = count
    }
    return held
  }

  #load(clients, kind, rest) {
    const { connections } = this.#plan
    return load({ port: this.#server.port, connections, requestOf: (number) => clients.request(number, pathOf(kind, clients.first + number)), ...rest })
  }
}
