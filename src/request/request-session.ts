import type { ResponseToken } from '../cookie/index.js'
import type { TimedStore } from '../store/index.js'
import { ChangeTracker } from './change-tracker.js'
import { noChanges, type Changes } from './changes.js'
import { deadlineOf, endOf, isDue } from './lifetimes.js'
import type { Migration } from './migration.js'
import type { RecordCarrier, RecordSource } from './record-source.js'
import type { SessionRules } from './rules.js'
import type { Sealing } from './sealing.js'
import type { SessionState, StoredState } from './session-state.js'

/** The values that the request assigned to members of `ctx.session`. */
export interface Assigned {
  readonly permanent?: boolean
  readonly lifetime?: number
  /** `modified = true`: save in any case. */
  readonly forced?: boolean
  /** `clear()` was called. */
  readonly cleared?: boolean
}

const nothingAssigned: Assigned = {}

/** A session as it was when its save began. */
export interface SaveInProgress {
  readonly before: SessionState
  readonly assigned: Assigned
  readonly changes: Changes
}

/**
 * The session of one request as it is now: its state, what the request changed and what it assigned.
 *
 * It makes no calls to the store: see session-calls.ts.
 */
export class RequestSession implements RecordSource {
  state: SessionState = { kind: 'new' }
  /** The stored session that `ctx.session = null` ended and that was not removed yet. */
  ended: StoredState | undefined
  assigned: Assigned = nothingAssigned
  /** The request read or set data. */
  accessed = false
  /** The request used `ctx.session` in any way, so the response depends on the cookie. */
  isUsed = false
  /** This request does not move the deadline. */
  polling = false
  readonly rules: SessionRules
  readonly store: TimedStore
  readonly sealing: Sealing
  readonly response: ResponseToken
  readonly carrier: RecordCarrier | undefined
  /** Absent: there are no bridges. */
  readonly migration: Migration | undefined
  #tracker: ChangeTracker | undefined

  constructor({ rules, store, sealing, carrier }: RecordSource, response: ResponseToken, migration?: Migration) {
    this.rules = rules
    this.store = store
    this.sealing = sealing
    this.response = response
    this.carrier = carrier
    this.migration = migration
  }

  /** The stored state, if there is one. */
  get stored(): StoredState | undefined {
    return this.state.kind === 'stored' ? this.state : undefined
  }

  get tracker(): ChangeTracker {
    return (this.#tracker ??= new ChangeTracker(this.stored?.record.data ?? this.migration?.found?.data ?? {}))
  }

  /** The request's changes to data. @throws SessionError `ERR_SESSION_VALUE` for a value that cannot be stored. */
  changes(): Changes {
    return this.#tracker?.changes() ?? noChanges
  }

  /** `true` if no session came with the request, neither ours nor one of an earlier library. */
  get isNew(): boolean {
    return this.stored === undefined && this.migration?.found === undefined
  }

  get owner(): string | undefined {
    return this.stored?.record.owner ?? this.migration?.found?.owner
  }

  get createdAt(): number {
    return this.stored?.record.created ?? this.rules.now()
  }

  get expiresAt(): number {
    const { stored, assigned } = this
    if (stored && assigned.lifetime === undefined) return endOf(this.rules, stored.record)
    return deadlineOf(this.rules, this.createdAt, this.lifetime, this.rules.now())
  }

  get permanent(): boolean {
    return this.assigned.permanent ?? this.stored?.record.permanent ?? this.migration?.found?.permanent ?? this.rules.permanent
  }

  get lifetime(): number {
    return this.ownLifetime ?? this.rules.lifetime
  }

  /** The lifetime that is stored with the session, if it has one of its own. */
  get ownLifetime(): number | undefined {
    return this.assigned.lifetime ?? this.stored?.record.lifetime ?? this.migration?.found?.lifetime
  }

  get modified(): boolean {
    if (this.ended || this.migration?.found || this.hasAssigned) return true
    try {
      return this.changes().size > 0
    } catch {
      // A value cannot be stored. The save reports it.
      return true
    }
  }

  /** `true` if the deadline should move even though nothing has changed. */
  get isDue(): boolean {
    const { stored, rules } = this
    return stored !== undefined && rules.refreshEachRequest && this.accessed && !this.polling && isDue(rules, stored.record, rules.now())
  }

  assign(assigned: Assigned): void {
    this.assigned = { ...this.assigned, ...assigned }
  }

  clear(): void {
    this.assign({ cleared: true })
    this.tracker.clear()
  }

  /** `ctx.session = null`: marks the stored session for removal and continues with an empty one. */
  end(): void {
    this.ended ??= this.stored
    this.endOld()
    // A new object even if nothing was stored: it shows a save in progress that the session was ended meanwhile.
    if (this.state.kind !== 'moved') this.state = { kind: 'new' }
    this.startAnew()
  }

  /** Ends the client's sessions of an earlier library, because it logs out. */
  endOld(): void {
    // The old cookie may have the name and the scope of ours.
    if (this.migration?.found) this.response.clear()
    this.migration?.end({ isLogout: true })
  }

  /** After the request removed the session: sends no cookie, or clears the one that the client has. */
  clearCookie(): void {
    this.response.clear()
    this.migration?.end({ isLogout: true })
  }

  /** Continues with an empty session. @param saved changes that need not be saved any more. Absent: all. */
  startAnew(saved?: Changes): void {
    if (saved) this.#tracker?.noteSaved({}, saved)
    else this.#tracker = undefined
    this.assigned = nothingAssigned
  }

  /** Call this before a save: the request may go on and change the session meanwhile. */
  beginSave(): SaveInProgress {
    return { before: this.state, assigned: this.assigned, changes: this.changes() }
  }

  /**
   * Makes the stored session the state and sends the cookie if it is needed. If `ctx.session = null` ended the session during the save,
   * marks the stored session for removal instead.
   */
  finishSave({ before, assigned, changes }: SaveInProgress, stored: StoredState, needsCookie = true): void {
    if (this.state !== before) {
      this.ended = stored
      return
    }
    // First, because a cookie that is too large throws: the save has failed then.
    if (needsCookie) this.sendCookie(stored)
    this.state = stored
    this.tracker.noteSaved(stored.record.data, changes)
    // Members that were assigned during the save are still to be saved.
    if (this.assigned === assigned) this.assigned = nothingAssigned
  }

  /** Makes the newest state the session's, and keeps the request's changes. */
  useReloaded(newest: StoredState): void {
    this.state = newest
    this.#tracker?.noteSaved(newest.record.data, noChanges)
  }

  /** Sends the cookie of a stored session, unless the headers were sent already. */
  sendCookie({ sid, record }: Pick<StoredState, 'sid' | 'record'>): void {
    if (this.response.headersSent) return
    this.response.send(sid, this.carrier?.payload(record.id, sid), record.permanent ? record.expires : undefined)
  }

  /** `true` if members were assigned other values than the stored ones. */
  get hasAssigned(): boolean {
    const { permanent, lifetime, forced } = this.assigned
    const record = this.stored?.record
    return forced === true || (permanent !== undefined && permanent !== record?.permanent) || (lifetime !== undefined && lifetime !== record?.lifetime)
  }
}
