import { RecentMap } from '../recent-map.js'
import type { SessionRecord } from '../record/index.js'
import type { Written } from './backend.js'

/** The largest size of all texts together, in characters: some thousand sessions of the usual size. With their records they take 5 to 25 MB. */
const mostCharacters = 2 ** 21
/** The longest text that is kept, in characters. */
const longestText = 2 ** 17

/** How many hexadecimal digits of an id make an index. With four, the table of states takes 256 KB. */
const indexDigits = 4

/**
 * The records that were read lately, with their texts. While a backend returns the same text, a read returns the same record, instead of
 * parsing and checking the text again. For a session of 600 bytes this saves 4 µs, a third of what a read in Redis costs.
 *
 * A record is kept when the same state of it is read for the second time. To keep each at once would make a request that reads and writes 40 %
 * dearer: V8 would move each record into its old generation, from which it is dear to remove, and no later request would read that state.
 */
export class KnownRecords {
  readonly #known = new RecentMap<Written>(mostCharacters, ({ text }) => text.length)
  /**
   * A fingerprint of the state that was read last, by the beginning of the id: a table of numbers is no work for the garbage collector. Sessions that
   * share an index displace each other's state, so that they may be kept later or never. The fingerprint has further digits of the id, so that none
   * is kept at its first read.
   */
  readonly #lastStates = new Int32Array(16 ** indexDigits)

  /** Returns the record in that text, if it is known. */
  find(id: string, text: string): SessionRecord | undefined {
    const known = this.#known.get(id)
    return known?.text === text ? known.record : undefined
  }

  /** Call this when a text was read that was not known. */
  note(id: string, text: string, record: SessionRecord): void {
    const index = indexOf(id)
    const fingerprint = Number.parseInt(id.slice(indexDigits, indexDigits + 8), 16) ^ record.rev
    if (this.#lastStates[index] === fingerprint && text.length <= longestText) {
      this.#known.set(id, { text, record })
      return
    }
    this.#lastStates[index] = fingerprint
    this.#known.delete(id)
  }

  /** Call this when the record has changed or ended, so that its data does not stay in memory for longer than needed. */
  forget(id: string): void {
    this.#known.delete(id)
    // Otherwise a read that is answered late would keep the state that has passed.
    this.#lastStates[indexOf(id)] = 0
  }
}

function indexOf(id: string): number {
  return Number.parseInt(id.slice(0, indexDigits), 16)
}
