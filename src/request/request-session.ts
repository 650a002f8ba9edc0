import type { ResponseCookie } from '../cookie/index.js'
import { SessionError } from '../errors.js'
import { emit } from '../events.js'
import type { SessionRecord } from '../record/index.js'
import { isPromise, recover, whenDone, type MaybePromise, type TimedStore } from '../store/index.js'
import { applyChanges, ChangeTracker, noChanges, type Changes } from './changes.js'
import { carryOut, headersSent, takeKey } from './carry-out.js'
import { deadlineOf, endOf, isDue } from './lifetimes.js'
import { endOwned, holdMaxPerOwner } from './owned-sessions.js'
import { planSave, type Situation } from './plan.js'
import { replaceSid, type LoginOptions } from './replace-sid.js'
import type { SessionRules } from './rules.js'

/** What the session of a request is now. Each change of state makes a new object. */
export type SessionState =
  /** Nothing is stored. */
  | { readonly kind: 'new' }
  | StoredState
  /** Somebody else ended the session while this request was in progress: nothing of it may come back. */
  | { readonly kind: 'gone' }
  /** Another request gave the session a new sid. */
  | { readonly kind: 'moved' }
  /** The store could not be read, and `onStoreError` is `'anonymous'`. */
  | { readonly kind: 'read-only'; readonly error: SessionError }

export interface StoredState {
  readonly kind: 'stored'
  readonly sid: string
  readonly record: SessionRecord
  /** The cookie was signed by an older key, or has to be sent again for another reason. */
  readonly reissue: boolean
  /** Why this sid could not be replaced. Nothing may be saved under it any more. */
  readonly failure?: unknown
}

/** What the request assigned to members of `ctx.session`. */
interface Assigned {
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

/** Why a store refuses what needs its list of an owner's sessions. */
export const cannotListOwners =
  'this store cannot list the sessions of an owner (a cookie has no server side, and memcached may forget an index at any time): ' +
  'use fileStore(), redisStore(), mongoStore() or sqlStore()'

/**
 * The session of one request: its state, what the request changed, and the calls of `ctx.session` that reach the store.
 *
 * Calls to the store are made one after another. Cookies are sent only after what they stand for is stored.
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
  #tracker: ChangeTracker | undefined
  /** The calls in progress, one after another. */
  #pending: Promise<unknown> | undefined
  #isClosed = false
  #reportsLate = false

  constructor(rules: SessionRules, store: TimedStore, response: ResponseCookie, carrier?: RecordCarrier) {
    this.rules = rules
    this.store = store
    this.response = response
    this.carrier = carrier
  }

  /** The stored state, if there is one. */
  get stored(): StoredState | undefined {
    return this.state.kind === 'stored' ? this.state : undefined
  }

  get isNew(): boolean {
    return this.state.kind !== 'stored'
  }

  get tracker(): ChangeTracker {
    return (this.#tracker ??= new ChangeTracker(this.stored?.record.data ?? {}))
  }

  /** What the request changed. @throws SessionError `ERR_SESSION_VALUE` for a value that cannot be stored. */
  changes(): Changes {
    return this.#tracker?.changes() ?? noChanges
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
    return this.assigned.permanent ?? this.stored?.record.permanent ?? this.rules.permanent
  }

  set permanent(permanent: boolean) {
    this.#assign({ permanent })
  }

  get lifetime(): number {
    return this.assigned.lifetime ?? this.stored?.record.lifetime ?? this.rules.lifetime
  }

  set lifetime(lifetime: number) {
    this.#assign({ lifetime })
  }

  get modified(): boolean {
    if (this.ended || this.#hasAssigned()) return true
    try {
      return this.changes().size > 0
    } catch {
      // A value that cannot be stored: the save reports it.
      return true
    }
  }

  set modified(forced: boolean) {
    this.#assign({ forced })
  }

  /** Notes that the request read or set data. */
  access(): void {
    if (this.accessed) return
    this.accessed = true
    this.look()
    if (this.#isClosed) this.#refreshLate()
  }

  /** Notes that the response depends on the session. */
  look(): void {
    if (this.isUsed) return
    this.isUsed = true
    // The response is made after the middleware has ended: `ctx.body = { me: ctx.session }`.
    if (this.#isClosed) this.response.vary()
  }

  /** To be called before each change. @throws SessionError when the session is read-only. */
  assertWritable(): void {
    if (this.state.kind === 'read-only') throw this.state.error
    if (this.#isClosed) this.#reportLate()
  }

  clear(): void {
    this.#assign({ cleared: true })
    this.tracker.clear()
  }

  /** `ctx.session = null`. */
  end(): void {
    this.assertWritable()
    this.access()
    this.ended ??= this.stored
    // A new object, also where nothing was stored: a save in progress must see that it came too late.
    if (this.state.kind !== 'moved') this.state = { kind: 'new' }
    this.startAnew()
    // A stream that goes on after the middleware: there is no other occasion.
    if (this.#isClosed) this.#inBackground(() => this.#removeEnded())
  }

  /** Goes on with an empty session. @param saved changes that need not be saved any more; absent: all. */
  startAnew(saved?: Changes): void {
    if (saved) this.#tracker?.saved({}, saved)
    else this.#tracker = undefined
    this.assigned = nothingAssigned
  }

  /** Notes that what was assigned is stored. What was assigned during the save is still to be saved. */
  savedAssigned(saved: Assigned): void {
    if (this.assigned === saved) this.assigned = nothingAssigned
  }

  /** Sends the cookie of a stored session, while that is possible. */
  sendCookie({ sid, record }: Pick<StoredState, 'sid' | 'record'>): void {
    if (this.response.headersSent) return
    this.response.send(sid, this.carrier?.payload(record.id), record.permanent ? record.expires : undefined)
  }

  save(): Promise<boolean> {
    return this.#promised(() => whenDone(this.#removeEnded(), () => this.#save(false, true)))
  }

  regenerate(): Promise<void> {
    return this.#replace()
  }

  loginAs(owner: string, options: LoginOptions): Promise<void> {
    return handled(this.#replace({ owner, ...options }).then(() => this.#holdMaxPerOwner(owner)))
  }

  /** Ends the owner's other sessions. @throws TypeError when the store cannot list the sessions of an owner. */
  endOthers(): Promise<number> {
    this.assertWritable()
    this.access()
    if (!this.store.listsOwners) throw new TypeError(`ctx.session.endOthers(): ${cannotListOwners}`)
    const record = this.stored?.record
    return handled(record?.owner === undefined ? Promise.resolve(0) : endOwned(this.store, record.owner, record.id))
  }

  destroy(): Promise<void> {
    return this.#promised(() => {
      this.end()
      return this.#removeEnded()
    })
  }

  take(key: string): Promise<unknown> {
    return this.#promised(() =>
      whenDone(this.#removeEnded(), () => {
        this.assertWritable()
        this.access()
        return takeKey(this, key)
      })
    )
  }

  reload(): Promise<boolean> {
    return this.#promised(() => {
      this.access()
      const before = this.stored
      if (!before) return false
      return whenDone(this.store.read(before.record.id), (record) => {
        if (this.state !== before) return false
        if (record && !record.moved) {
          this.state = { ...before, record }
          this.#tracker?.saved(record.data, noChanges)
          return true
        }
        this.state = { kind: record ? 'moved' : 'gone' }
        this.startAnew()
        return false
      })
    })
  }

  /**
   * Sends the cookie of a due refresh when the headers leave, if the application then answers by itself (`ctx.respond = false`): such
   * headers may leave before the end of the request, when the refresh is stored.
   */
  refreshWithHeaders(ctx: { respond?: boolean | undefined }): void {
    const { stored, rules } = this
    const hasExpiry = stored && (stored.record.permanent || this.carrier !== undefined)
    if (!hasExpiry || !rules.refreshEachRequest || !isDue(rules, stored.record, rules.now())) return
    this.response.beforeHeaders(() => {
      if (ctx.respond !== false || this.#isClosed || this.state !== stored || !this.accessed || this.polling || this.#pending) return
      const now = rules.now()
      const { record } = stored
      this.sendCookie({ sid: stored.sid, record: { ...record, expires: deadlineOf(rules, record.created, record.lifetime, now) } })
      this.#inBackground(() => carryOut(this, { kind: 'refresh' }))
    })
  }

  /**
   * Saves at the end of the request.
   *
   * @param failed the response is a server error, and changes are not kept then.
   */
  close(failed: boolean): MaybePromise<unknown> {
    this.#isClosed = true
    if (!this.#pending && !this.isUsed && !this.stored?.reissue) return
    return this.#inTurn(() => whenDone(this.#removeEnded(), () => this.#save(failed, false)))
  }

  /** @param asked the application called `save()` and awaits the answer. */
  #save(failed: boolean, asked: boolean): MaybePromise<boolean> {
    if (asked) this.assertWritable()
    const { stored } = this
    if (stored?.failure !== undefined) throw stored.failure
    const step = planSave(this.#situation(failed))
    if (step.kind === 'drop' && step.reason === 'headers-sent' && asked) throw headersSent('save a session')
    return carryOut(this, step)
  }

  /** Removes what `ctx.session = null` ended. Another session may be ended meanwhile, so this looks again afterwards. */
  #removeEnded(): MaybePromise<void> {
    if (!this.ended) return
    return whenDone(carryOut(this, { kind: 'remove' }), () => this.#removeEnded())
  }

  #replace(login?: LoginOptions & { owner: string }): Promise<void> {
    return this.#promised(() => {
      this.assertWritable()
      this.access()
      return whenDone(this.#removeEnded(), () => replaceSid(this, login))
    })
  }

  #situation(failed: boolean): Situation {
    const { state, stored, rules, response } = this
    const changes = failed ? noChanges : this.changes()
    const hasChanges = changes.size > 0 || this.#hasAssigned()
    const isEmptied = this.assigned.cleared === true && this.tracker.keys().length === 0
    return {
      state: state.kind,
      hasEnded: this.ended !== undefined,
      hasChanges: hasChanges || isEmptied,
      hasData: changes.size > 0 && applyChanges(changes, {}) !== null,
      isEmptied,
      failed,
      isDue: stored !== undefined && rules.refreshEachRequest && this.accessed && !this.polling && isDue(rules, stored.record, rules.now()),
      reissue: stored?.reissue ?? false,
      permanent: stored?.record.permanent ?? false,
      headersSent: response.headersSent,
      carriesRecord: this.carrier !== undefined
    }
  }

  /** Whether members were assigned other values than those that are stored. */
  #hasAssigned(): boolean {
    const { permanent, lifetime, forced } = this.assigned
    const record = this.stored?.record
    return forced === true || (permanent !== undefined && permanent !== record?.permanent) || (lifetime !== undefined && lifetime !== record?.lifetime)
  }

  #assign(assigned: Assigned): void {
    this.assertWritable()
    this.look()
    this.assigned = { ...this.assigned, ...assigned }
  }

  async #holdMaxPerOwner(owner: string): Promise<void> {
    const { maxPerOwner } = this.rules
    const record = this.stored?.record
    if (maxPerOwner !== undefined && record?.owner === owner) await holdMaxPerOwner(this.store, record, maxPerOwner)
  }

  #promised<T>(work: () => MaybePromise<T>): Promise<T> {
    return handled(
      new Promise<T>((resolve) => {
        resolve(this.#inTurn(work))
      })
    )
  }

  /** One call after another: an application may forget to await, and a request must not race with itself. */
  #inTurn<T>(work: () => MaybePromise<T>): MaybePromise<T> {
    if (!this.#pending) {
      const answer = work()
      if (isPromise(answer)) this.#pending = this.#untilDone(answer)
      return answer
    }
    const turn = this.#pending.then(work)
    this.#pending = this.#untilDone(turn)
    return turn
  }

  /** A call that nobody waits for. Its failure was published as an event. */
  #inBackground(work: () => MaybePromise<unknown>): void {
    void recover(() => this.#inTurn(work), () => undefined)
  }

  #untilDone(turn: Promise<unknown>): Promise<unknown> {
    const done: Promise<unknown> = turn.then(
      () => this.#isDone(done),
      () => this.#isDone(done)
    )
    return done
  }

  #isDone(done: Promise<unknown>): void {
    if (this.#pending === done) this.#pending = undefined
  }

  /** Moves the deadline for a response that is made after the middleware has ended. */
  #refreshLate(): void {
    if (this.stored) this.#inBackground(() => carryOut(this, planSave(this.#situation(true))))
  }

  /** Reports changes that are made after the end of the request, unless `save()` follows at once. */
  #reportLate(): void {
    if (this.#reportsLate) return
    this.#reportsLate = true
    setImmediate(() => {
      this.#reportsLate = false
      if (this.#pending || !this.modified || this.ended) return
      emit({ type: 'dropped', id: this.stored?.record.id, reason: 'late' })
      warnOfLateChange()
    })
  }
}

/**
 * A call of the application, which may forget to await it. The end of the request reports the failure then, so the rejection must not end the
 * process as an unhandled one.
 */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}

let hasWarned = false

function warnOfLateChange(): void {
  if (hasWarned) return
  hasWarned = true
  process.emitWarning(
    'ctx.session was changed after its request had ended, and the change is lost: look for a missing `await next()` in a middleware, ' +
      'or call `await ctx.session.save()` after the change',
    'SessionWarning'
  )
}
