import { isSameVersion, readRecord, type SessionRecord } from '../../record/index.js'
import type { Backend, Found, RecordWithToken, StoreScope, SwapResult, Written } from '../../store/index.js'
import { addValue, readValue, replaceValue } from './client.js'
import { atOnce, exptimeOf } from './exptime.js'
import { asStored } from './failure.js'
import type { ClientOf } from './nodes.js'

/** The longest key, in bytes. */
const longestKey = 250
/** The length of an id, in hexadecimal digits. */
const idLength = 64

/**
 * How long after its reading a number is used without looking at the value again, in milliseconds.
 *
 * memcached begins to number anew when it restarts. A save with a number from before must not meet the same number on another state of the
 * session, which somebody has copied into memcached since. So the record is compared, too, unless it was read just now.
 */
const freshFor = 1000

/** The number that memcached gave to a state, and when it was read, by the clock of the scope. */
interface Token {
  readonly casUniq: string
  readonly readAt: number
}

/** The text that replaces a value that is not text. The kit reports it as corrupt. */
const notText = 'not text'

/** The operations on the records of one prefix. memcached replaces a state only if it still has the given number. */
export class MemcachedBackend implements Backend<Token> {
  // The client never sends a command a second time.
  readonly sendsOnce = true
  readonly #clientOf: ClientOf
  readonly #scope: StoreScope

  constructor(clientOf: ClientOf, scope: StoreScope) {
    assertPrefix(scope.prefix)
    this.#clientOf = clientOf
    this.#scope = scope
  }

  async get(id: string): Promise<Found<Token> | undefined> {
    const readAt = this.#scope.now()
    const stored = await readValue(this.#clientOf(id), this.#keyOf(id))
    if (!stored) return undefined
    return stored.text === undefined ? { text: notText } : { text: stored.text, token: { casUniq: stored.casUniq, readAt } }
  }

  async insert(id: string, { record, text }: Written): Promise<boolean> {
    return asStored(text, addValue(this.#clientOf(id), this.#keyOf(id), text, exptimeOf(record)))
  }

  async replace(id: string, from: RecordWithToken<Token>, { record, text }: Written): Promise<SwapResult<Token>> {
    return asStored(text, this.#swap(id, from, text, exptimeOf(record)))
  }

  /**
   * Removes a record by a compare-and-swap to a value that has expired. So it is one atomic step, and a late save with the same number finds
   * nothing.
   */
  async remove(id: string, from: RecordWithToken<Token>): Promise<SwapResult<Token>> {
    return this.#swap(id, from, '', atOnce)
  }

  async #swap(id: string, from: RecordWithToken<Token>, text: string, exptime: number): Promise<SwapResult<Token>> {
    let { token } = from
    // memcached does not return the number of a state that it has stored, so the number of a written record must be read.
    if (!token || !this.#isFresh(token)) {
      const found = await this.get(id)
      if (!found) return 'gone'
      if (!found.token || !this.#has(id, found, from.record)) return found
      token = found.token
    }
    const answer = await replaceValue(this.#clientOf(id), this.#keyOf(id), text, exptime, token.casUniq)
    return answer === 'STORED' ? 'done' : answer === 'NOT_FOUND' ? 'gone' : 'changed'
  }

  #isFresh({ readAt }: Token): boolean {
    const age = this.#scope.now() - readAt
    return age >= 0 && age <= freshFor
  }

  /** Reports whether the text is this state of the record. */
  #has(id: string, { text }: Found, record: SessionRecord): boolean {
    const reading = readRecord(text, id, this.#scope.largest)
    return 'record' in reading && isSameVersion(reading.record, record)
  }

  #keyOf(id: string): string {
    return this.#scope.prefix + id
  }
}

/** Refuses a prefix with spaces or line breaks, which end a key or a command in memcached's protocol: the rest would run as a command. */
function assertPrefix(prefix: string): void {
  const longest = longestKey - idLength
  if (/^[\x21-\x7e]*$/.test(prefix) && prefix.length <= longest) return
  throw new TypeError(`memcachedStore: prefix must have at most ${longest} characters, only visible ASCII characters and no space, because of memcached's rules for keys`)
}
