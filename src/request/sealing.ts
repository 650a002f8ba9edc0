import { SessionError } from '../errors.js'
import { emit } from '../events.js'
import { isSealed, type RecordSealer, type SessionRecord } from '../record/index.js'

/** How the records of a request are stored: as they are, or sealed with its sid and the secrets of the application. */
export interface Sealing {
  /**
   * The record as the request uses it.
   *
   * `undefined`, and an event: the request must not use it, because its data cannot be trusted.
   */
  open(record: SessionRecord, sid: string): SessionRecord | undefined
  /** The record as it is stored. */
  close(record: SessionRecord, sid: string): SessionRecord
}

/** Without the option `seal`. */
export const unsealed: Sealing = {
  open(record) {
    // Not "no session": while servers are restarted with `seal` one by one, that would log people out.
    if (isSealed(record)) throw reportSealedRecord()
    return record
  },
  close: (record) => record
}

/** Publishes and returns the error for a sealed record where the option `seal` is absent. */
export function reportSealedRecord(): SessionError {
  const error = new SessionError('ERR_SESSION_STORE', "a stored session is sealed, but this session() is not: give it the option seal, true or 'migrate'")
  emit({ type: 'store-error', id: undefined, error })
  return error
}

/** With the option `seal`. */
export class SealedRecords implements Sealing {
  readonly #sealer: RecordSealer
  readonly #acceptsUnsealed: boolean

  /** @param acceptsUnsealed `true`: `seal` is `'migrate'`, so records from before are read too. */
  constructor(sealer: RecordSealer, acceptsUnsealed: boolean) {
    this.#sealer = sealer
    this.#acceptsUnsealed = acceptsUnsealed
  }

  open(record: SessionRecord, sid: string): SessionRecord | undefined {
    const { id } = record
    if (isSealed(record)) {
      const opened = this.#sealer.unseal(record, sid)
      if (!opened) emit({ type: 'corrupt', id, reason: 'its sealed data was edited, is not its own, or was sealed with a secret that is not among the keys' })
      return opened
    }
    if (this.#acceptsUnsealed) return record
    // Anybody who can write to the store could have made it.
    emit({ type: 'corrupt', id, reason: "it is not sealed, but the option seal is true: 'migrate' reads earlier records" })
    return undefined
  }

  close(record: SessionRecord, sid: string): SessionRecord {
    // A marker has no data.
    return record.moved ? record : this.#sealer.seal(record, sid)
  }
}
