import type { ResponseCookie } from '../cookie/index.js'
import type { SessionRecord } from '../record/index.js'
import type { TimedStore } from '../store/index.js'
import { applyChanges, ChangeTracker, noChanges, type Changes } from './changes.js'
import { deadlineOf, endOf, isDue } from './lifetimes.js'
import type { Migration } from './migration.js'
import type { Situation } from './plan.js'
import type { SessionRules } from './rules.js'
import type { SessionState, StoredState } from './session-state.js'

/** What the request assigned to members of `ctx.session`. */
export interface Assigned {
  readonly permanent?: boolean
  readonly lifetime?: number
  /** `modified = true`: save in any case. */
  readonly forced?: boolean
  /** `clear()` was called. */
  readonly cleared?: boolean
}

/** Where the cookie carries the record: gives what the cookie of a record has to carry. */
export interface RecordCarrier {
  payload(id: string): string
}

const nothingAssigned: Assigned = {}

/**
 * The session of one request as it is now: its state, what the request changed and what it assigned.
 *
 * It makes no calls to the store: see session-calls.ts.
 */
export class RequestSession {
  state: SessionState = { kind: 'new' }
  /** The stored session that `ctx.session = null` ended and that is not removed yet. */
  ended: StoredState | undefined
  assigned: Assigned = nothingAssigned
  accessed = false
  /** The request used `ctx.session` in any way, so the response depends on the cookie. */
  isUsed = false
  /** This request does not move the deadline. */
  polling = false
  readonly rules: SessionRules
  readonly store: TimedStore
  readonly response: ResponseCookie
  readonly carrier: RecordCarrier | undefined
  /** Absent: there are no bridges. */
  readonly migration: Migration | undefined
  #tracker: ChangeTracker | undefined

  constructor(rules: SessionRules, store: TimedStore, response: ResponseCookie, carrier?: RecordCarrier, migration?: Migration) {
    this.rules = rules
    this.store = store
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

  /** What the request changed. @throws SessionError `ERR_SESSION_VALUE` for a value that cannot be stored. */
  changes(): Changes {
    return this.#tracker?.changes() ?? noChanges
  }

  /** Whether no session came with the request, neither ours nor one of an earlier library. */
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
    if (this.ended || this.migration?.found || this.#hasAssigned()) return true
    try {
      return this.changes().size > 0
    } catch {
      // A value that cannot be stored: the save reports it.
      return true
    }
  }

  /** Whether an unchanged session's deadline should move. */
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

  /** `ctx.session = null`: the stored session is to be removed, and the request goes on with an empty one. */
  end(): void {
    this.ended ??= this.stored
    this.endOld()
    // A new object, also where nothing was stored: a save in progress must see that it came too late.
    if (this.state.kind !== 'moved') this.state = { kind: 'new' }
    this.startAnew()
  }

  /** Ends the client's sessions of an earlier library, because it logs out. */
  endOld(): void {
    // The old cookie may have the name and the scope of ours.
    if (this.migration?.found) this.response.clear()
    this.migration?.end(true)
  }

  /** The request removed the session: the client gets no cookie, or loses the one that it has. */
  clearCookie(): void {
    this.response.clear()
    this.migration?.end(true)
  }

  /** Goes on with an empty session. @param saved changes that need not be saved any more; absent: all. */
  startAnew(saved?: Changes): void {
    if (saved) this.#tracker?.saved({}, saved)
    else this.#tracker = undefined
    this.assigned = nothingAssigned
  }

  /**
   * Goes on from what is stored now, and sends the cookie if it is needed. If `ctx.session = null` ended the session while it was being
   * stored, what was stored is to be removed.
   *
   * @param before the state when the save began.
   * @param assigned what was assigned when the save began.
   * @param changes what was changed when the save began.
   */
  settle(before: SessionState, stored: StoredState, assigned: Assigned, changes: Changes, needsCookie: boolean): void {
    if (this.state !== before) {
      this.ended = stored
      return
    }
    // First, because a cookie that is too large is a save that failed.
    if (needsCookie) this.sendCookie(stored)
    this.state = stored
    this.tracker.saved(stored.record.data, changes)
    // What was assigned during the save is still to be saved.
    if (this.assigned === assigned) this.assigned = nothingAssigned
  }

  /** Goes on with the newest record, and keeps what the request changed. */
  reloaded(before: StoredState, record: SessionRecord): void {
    this.state = { ...before, record }
    this.#tracker?.saved(record.data, noChanges)
  }

  /** Sends the cookie of a stored session, while that is possible. */
  sendCookie({ sid, record }: Pick<StoredState, 'sid' | 'record'>): void {
    if (this.response.headersSent) return
    this.response.send(sid, this.carrier?.payload(record.id), record.permanent ? record.expires : undefined)
  }

  /** @param failed the response is a server error, and changes are not kept then. */
  situation(failed: boolean): Situation {
    const { state, stored, response, migration } = this
    const changes = failed ? noChanges : this.changes()
    const isEmptied = this.assigned.cleared === true && this.tracker.keys().length === 0
    return {
      state: state.kind,
      hasEnded: this.ended !== undefined,
      hasOld: migration?.found !== undefined,
      hasChanges: changes.size > 0 || this.#hasAssigned() || isEmptied,
      hasData: !isEmptied && (applyChanges(changes, migration?.found?.data ?? {}) !== null || this.#keepsOldOwner),
      isEmptied,
      failed,
      isDue: this.isDue,
      reissue: stored?.reissue ?? false,
      permanent: stored?.record.permanent ?? false,
      headersSent: response.headersSent,
      carriesRecord: this.carrier !== undefined
    }
  }

  /** As with a stored session, the owner is enough to keep one, unless the application cleared it. */
  get #keepsOldOwner(): boolean {
    return this.migration?.found?.owner !== undefined && this.assigned.cleared !== true
  }

  /** Whether members were assigned other values than those that are stored. */
  #hasAssigned(): boolean {
    const { permanent, lifetime, forced } = this.assigned
    const record = this.stored?.record
    return forced === true || (permanent !== undefined && permanent !== record?.permanent) || (lifetime !== undefined && lifetime !== record?.lifetime)
  }
}
