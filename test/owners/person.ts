import { randomInt } from 'node:crypto'
import { Client, type Answer } from '../support/client.js'
import { idOf } from '../support/events.js'

/** An owner of whom everybody is one now and then, so that parallel requests change the list of one owner. */
export const everybody = 'everybody'

/** The servers that still answer. A request to one that does not answer any more takes it off the list. */
export interface Servers {
  readonly origins: string[]
  /** Called after each answer. */
  answered(): void
  /** Called when a server did not answer. */
  lost(): void
}

/**
 * Somebody who logs in, logs in over a session, gets new sids and logs out, with several browsers, one request after the other, each to a
 * random server. Notes what was acknowledged. A request without an answer may or may not have been carried out, so what it was
 * about is noted as neither.
 */
export class Person {
  readonly name: string
  /** The owners of the sessions that must be there, by id. */
  readonly logins = new Map<string, string>()
  /** The ids of the sessions that must not be there. */
  readonly ended = new Set<string>()
  /** Answers that no request should get. */
  readonly complaints: string[] = []
  readonly #servers: Servers
  #browsers: Client[] = []

  constructor(name: string, servers: Servers) {
    this.name = name
    this.#servers = servers
  }

  async act(): Promise<void> {
    const browser = this.#browsers[randomInt(5)]
    const action = randomInt(10)
    if (!browser) return this.#logIn(new Client('http://127.0.0.1'))
    if (action < 3) return this.#logIn(browser)
    if (action < 6) return this.#regenerate(browser)
    if (action < 7) return this.#endOthers(browser)
    return this.#logOut(browser)
  }

  async #logIn(browser: Client): Promise<void> {
    const owner = randomInt(4) === 0 ? everybody : this.name
    await this.#replace(browser, owner, `/login-as?user=${encodeURIComponent(owner)}`)
  }

  async #regenerate(browser: Client): Promise<void> {
    await this.#replace(browser, this.logins.get(sessionOf(browser)!)!, '/regenerate')
  }

  /** The session gets a new sid. */
  async #replace(browser: Client, owner: string, path: string): Promise<void> {
    this.#browsers = this.#browsers.filter((each) => each !== browser)
    const old = sessionOf(browser)
    if (old !== undefined) this.logins.delete(old)
    if (!(await this.#ask(browser, path))) return
    const id = sessionOf(browser)
    if (id === undefined || id === old) return void this.complaints.push(`${path} gave no new sid`)
    if (old !== undefined) this.ended.add(old)
    this.logins.set(id, owner)
    this.#browsers.push(browser)
  }

  async #logOut(browser: Client): Promise<void> {
    this.#browsers = this.#browsers.filter((each) => each !== browser)
    const id = sessionOf(browser)!
    this.logins.delete(id)
    if (await this.#ask(browser, '/logout')) this.ended.add(id)
  }

  /** Only this person's own sessions: what happens to those of everybody, others would have to know. */
  async #endOthers(browser: Client): Promise<void> {
    const own = sessionOf(browser)!
    if (this.logins.get(own) !== this.name) return
    const isOther = (each: Client) => each !== browser && this.logins.get(sessionOf(each)!) === this.name
    const others = this.#browsers.filter(isOther).map((each) => sessionOf(each)!)
    this.#browsers = this.#browsers.filter((each) => !isOther(each))
    for (const id of others) this.logins.delete(id)
    if (!(await this.#ask(browser, '/end-others'))) return
    for (const id of others) this.ended.add(id)
  }

  /** `undefined`: no server answered. */
  async #ask(browser: Client, path: string): Promise<Answer | undefined> {
    const { origins } = this.#servers
    const at = randomInt(origins.length)
    const origin = origins[at]!
    let answer
    try {
      answer = await browser.at(origin).get(path)
    } catch {
      const where = origins.indexOf(origin)
      if (where >= 0) origins.splice(where, 1)
      this.#servers.lost()
      return undefined
    }
    this.#servers.answered()
    if (answer.status < 300) return answer
    this.complaints.push(`${path}: ${answer.status}`)
    return undefined
  }
}

function sessionOf(browser: Client): string | undefined {
  const cookie = browser.cookie('session')
  return cookie === undefined ? undefined : idOf(cookie)
}
