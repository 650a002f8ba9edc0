import { RecentMap } from '../recent-map.js'
import type { Data } from './json.js'
import type { SessionRecord } from './record.js'
import { Sealer } from './sealer.js'

/** Distinguishes sealed records from everything else that is made with the same secrets. */
const purpose = 'koa-keepsake sealed record'

/** The data of a sealed record, and the record: one with another text or other facts needs another decryption. */
interface Opened {
  readonly record: SessionRecord
  readonly data: Data
}

/** How many sessions' data is kept: together at most 16 Mi characters of sealed text. */
const mostKept = 2000
/** The longest sealed text whose data is kept, in characters. */
const longestKept = 8192

/**
 * Seals records. Only the data is encrypted, so that stores can list, end and expire sessions. The facts that decide whose session it is (id,
 * creation, owner) are bound to the data: to edit one of them makes the data unreadable.
 *
 * The data of sessions that were read lately is kept, so that a read of a record that has not changed decrypts nothing. Under load,
 * decryption takes 15 µs or more, because the cipher is a native object.
 */
export class RecordSealer {
  readonly #sealer: Sealer
  /** By sid. */
  readonly #kept = new RecentMap<Opened>(mostKept)

  /** @param secrets newest first. */
  constructor(secrets: readonly (string | Buffer)[]) {
    this.#sealer = new Sealer(secrets, purpose)
  }

  seal(record: SessionRecord, sid: string): SessionRecord {
    const { data } = record
    const sealed = { ...record, sealed: this.#sealer.seal(JSON.stringify(data), sid, factsOf(record)), data: {} }
    // Nobody may read a new session again.
    if (this.#kept.has(sid)) this.#keep(sid, sealed, data)
    return sealed
  }

  /** The record with its data. `undefined`: it was edited, it is another session's, or its secret is not known. */
  unseal(record: SessionRecord, sid: string): SessionRecord | undefined {
    const kept = this.#kept.get(sid)
    if (kept && isSealedAlike(kept.record, record)) return openedRecord(record, kept.data)
    const text = this.#sealer.unseal(record.sealed ?? '', sid, factsOf(record))
    if (text === undefined) return undefined
    const data = JSON.parse(text) as Data
    this.#keep(sid, record, data)
    return openedRecord(record, data)
  }

  #keep(sid: string, record: SessionRecord, data: Data): void {
    if (record.sealed!.length > longestKept) this.#kept.delete(sid)
    else this.#kept.set(sid, { record, data })
  }
}

/** Reports whether two records have the same sealed text and the same facts that are bound to it. */
function isSealedAlike(one: SessionRecord, other: SessionRecord): boolean {
  return one.created === other.created && one.owner === other.owner && one.id === other.id && one.sealed === other.sealed
}

/** Sets `sealed` to `undefined` instead of leaving it out: so sealed and opened records have one hidden class, and a copy takes a sixth of the time. */
function openedRecord(record: SessionRecord, data: Data): SessionRecord {
  return { ...record, sealed: undefined, data }
}

/** An id has no line break, a time is a number, and an owner is never empty: no two sets of facts have the same text. */
function factsOf({ id, created, owner = '' }: SessionRecord): string {
  return `${id}\n${created}\n${owner}`
}
