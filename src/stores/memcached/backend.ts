import { isSameVersion, readRecord, type SessionRecord } from '../../record/index.js'
import type { Backend, Found, Known, StoreScope, Swapped, Written } from '../../store/index.js'
import { addValue, readValue, replaceValue } from './client.js'
import { atOnce, exptimeOf } from './exptime.js'
import { asStored } from './failure.js'
import type { ClientOf } from './nodes.js'

/** The longest key, in bytes. */
const longestKey = 250
/** The length of an id, in hexadecimal digits. */
const idLength = 64

/** Stands for a value that is not text. The kit reports it as corrupt, because it is no record. */
const notText = 'not text'

/**
 * The records of one prefix in memcached. The token is the number that memcached gives to each state of a value, which it compares
 * when it replaces the value.
 */
export class MemcachedBackend implements Backend<string> {
  readonly #clientOf: ClientOf
  readonly #prefix: string
  readonly #largest: number

  constructor(clientOf: ClientOf, { prefix, largest }: StoreScope) {
    assertPrefix(prefix)
    this.#clientOf = clientOf
    this.#prefix = prefix
    this.#largest = largest
  }

  async get(id: string): Promise<Found<string> | undefined> {
    const stored = await readValue(this.#clientOf(id), this.#prefix + id)
    if (!stored) return undefined
    return stored.text === undefined ? { text: notText } : { text: stored.text, token: stored.casUniq }
  }

  async insert(id: string, { record, text }: Written): Promise<boolean> {
    return asStored(text, addValue(this.#clientOf(id), this.#prefix + id, text, exptimeOf(record)))
  }

  async replace(id: string, from: Known<string>, { record, text }: Written): Promise<Swapped<string>> {
    return asStored(text, this.#swap(id, from, text, exptimeOf(record)))
  }

  /**
   * A removal is a compare-and-swap that gives the value an exptime in the past. So it is one atomic step, and a late save with the
   * same number finds nothing.
   */
  async remove(id: string, from: Known<string>): Promise<Swapped<string>> {
    return this.#swap(id, from, '', atOnce)
  }

  async #swap(id: string, from: Known<string>, text: string, exptime: number): Promise<Swapped<string>> {
    let { token } = from
    if (token === undefined) {
      // memcached does not answer the number of what it has stored. So after a write, the number has to be read.
      const found = await this.get(id)
      if (!found) return 'gone'
      if (found.token === undefined || !this.#has(id, found, from.record)) return found
      token = found.token
    }
    const answer = await replaceValue(this.#clientOf(id), this.#prefix + id, text, exptime, token)
    return answer === 'STORED' ? 'done' : answer === 'NOT_FOUND' ? 'gone' : 'changed'
  }

  /** Whether the text is this state of the record. */
  #has(id: string, { text }: Found, record: SessionRecord): boolean {
    const reading = readRecord(text, id, this.#largest)
    return 'record' in reading && isSameVersion(reading.record, record)
  }
}

/** memcached ends a key at a space, and a command at a line break: a prefix with one of them would run commands of its own. */
function assertPrefix(prefix: string): void {
  const longest = longestKey - idLength
  if (/^[\x21-\x7e]*$/.test(prefix) && prefix.length <= longest) return
  throw new TypeError(`memcachedStore: prefix must have at most ${longest} characters, each a visible ASCII character and no space: memcached's keys are limited to that`)
}
