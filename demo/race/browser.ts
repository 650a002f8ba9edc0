import { Agent, request, type ClientRequest, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/** No request of the race may take longer, in milliseconds. */
const patience = 10_000

/** The text of a response. `from` and `to` say when its request was sent and when it was complete, in milliseconds of the browser's clock. */
export interface Timed {
  from: number
  to: number
  text: string
}

/** A browser as a server sees it: it keeps cookies and connections. */
export class Browser {
  readonly #origin: string
  readonly #agent = new Agent({ keepAlive: true })
  #opened = performance.now()
  #cookies = new Map<string, string>()

  constructor(origin: string) {
    this.#origin = origin
  }

  /** Another browser with the same cookies and the same clock: a thief's. */
  copy(): Browser {
    const other = new Browser(this.#origin)
    other.#opened = this.#opened
    other.#cookies = new Map(this.#cookies)
    return other
  }

  /** From here on times are counted. */
  startClock(): void {
    this.#opened = performance.now()
  }

  post(path: string): Promise<Timed> {
    const from = this.#now()
    const sending = this.#open('POST', path)
    sending.end()
    return this.#answer(sending, from)
  }

  /** Returns the data that the server keeps for this browser. */
  async read(): Promise<Timed & { data: Record<string, unknown> }> {
    const from = this.#now()
    const sending = this.#open('GET', '/read')
    sending.end()
    const timed = await this.#answer(sending, from)
    return { ...timed, data: JSON.parse(timed.text) as Record<string, unknown> }
  }

  /** Begins a request that lasts until the returned function is called. Resolves when the server has read the session. */
  async upload(path: string): Promise<() => Promise<Timed>> {
    const from = this.#now()
    const sending = this.#open('POST', path)
    const answer = this.#answer(sending, from)
    sending.write('the first half, ')
    await Promise.race([once(sending, 'information'), answer])
    return () => {
      sending.end('and the second')
      return answer
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  #open(method: string, path: string): ClientRequest {
    const cookie = Array.from(this.#cookies, ([name, value]) => `${name}=${value}`).join('; ')
    return request(this.#origin + path, { method, agent: this.#agent, headers: { ...(cookie && { cookie }) }, signal: AbortSignal.timeout(patience) })
  }

  async #answer(sending: ClientRequest, from: number): Promise<Timed> {
    const [response] = (await once(sending, 'response')) as [IncomingMessage]
    for (const line of response.headers['set-cookie'] ?? []) this.#keep(line)
    const body = await text(response)
    if (response.statusCode! >= 400) throw new Error(`the race's application answered ${response.statusCode}`)
    return { from, to: this.#now(), text: body }
  }

  /** An empty value removes the cookie: neither library sets one otherwise. */
  #keep(line: string): void {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
    if (value === '') this.#cookies.delete(name!)
    else this.#cookies.set(name!, value!)
  }

  #now(): number {
    return performance.now() - this.#opened
  }
}
