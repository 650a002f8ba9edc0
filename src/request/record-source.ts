import type { TimedStore } from '../store/index.js'
import type { SessionRules } from './rules.js'
import type { Sealing } from './sealing.js'

/** Where a request finds records, and in which form they are stored. */
export interface RecordSource {
  readonly rules: SessionRules
  readonly store: TimedStore
  readonly sealing: Sealing
  /** Absent: the cookie holds only the sid. */
  readonly carrier?: RecordCarrier | undefined
}

/** The part of `cookieStore()` that gives the payload for a cookie: the text of the record. */
export interface RecordCarrier {
  payload(id: string, sid: string): string
}
