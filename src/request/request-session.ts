import type { Token } from './cookie.js'
import { applyChanges, Draft, type Changes, type Data } from './draft.js'
import { SessionError, storeError } from './errors.js'
import { emit } from './events.js'
import { deadlineOf, endOf, isDue } from './lifetimes.js'
import type { Settings } from './options.js'
import { measureRecord } from './record.js'
import { regenerate } from './regenerate.js'
import type { SessionBacking } from './session.js'
import { createSid, idOf } from './sid.js'
import type { Recipe, SessionRecord } from './store.js'
import type { TimedStore } from './timed-store.js'

/** Where cookies go: the response of the request. */
export interface Outlet {
  /** Whether it is too late for a cookie. */
  readonly closed: boolean
  /** Whether the cookie carries the record itself, and so has to go out after every write. */
  readonly carries: boolean
  /** Sends the cookie of a stored session. */
  send(sid: string, record: SessionRecord): void
  /** Withdraws a cookie that was to be sent and, if the client sent one, removes it there. */
  clear(): void
}

type Rules = Pick<Settings,
  'permanent' | 'lifetime' | 'absoluteLifetime' | 'refreshEachRequest' | 'touchAfter' | 'maxBytes' | 'onStoreError' | 'now'>

/** A stored session as this request knows it. */
interface Stored {
  readonly sid: string
  readonly record: SessionRecord
}

const nothing: Data = {}

/**
 * One request's dealings with the store: opens the session that the cookie names, and saves, renews or removes it. It
 * knows nothing of Koa; cookies go through the outlet, always after what they stand for is in the store.
 */
export class Exchange implements SessionBacking {
  accessed = false
  isNew = true
  readonly #rules: Rules
  readonly #store: TimedStore
  readonly #outlet: Outlet
  #draft: Draft | undefined
  /** What was saved since the draft was last brought up to date, which is done only when it is needed again. */
  #saved: { data: Data; changes: Changes } | undefined
  #stored: Stored | undefined
  /** The cookie was signed by an older key, or has to be sent for another reason. */
  #reissue = false
  #forced = false
  #cleared = false
  /** `ctx.session = null`: to be destroyed at the next occasion, whatever is set afterwards. */
  #doomed: Stored | undefined
  /** Somebody else removed the session while this request was under way: nothing of it may come back. */
  #gone = false
  #readOnly: SessionError | undefined
  #permanent: boolean | undefined
  #lifetime: number | undefined
  #pending: Promise<unknown> | undefined
  /** How often the session was given up: what is under way at that moment must not bring it back. */
  #era = 0
  #ended = false

  constructor(rules: Rules, store: TimedStore, outlet: Outlet) {
    this.#rules = rules
    this.#store = store
    this.#outlet = outlet
  }

  /** Reads the session that a verified cookie names. A sid without a live record is never adopted. */
  async open({ sid, id, stale }: Token): Promise<void> {
    let record: SessionRecord | undefined
    try {
      record = await this.#store.read(id)
    } catch (error) {
      if (this.#rules.onStoreError === 'fail') throw error
      this.#readOnly = storeError('read a session', error)
      return
    }
    if (!record || endOf(this.#rules, record) <= this.#rules.now()) return
    this.#stored = { sid, record }
    this.#reissue = stale
    this.isNew = false
    emit({ type: 'load', id })
  }

  get draft(): Draft {
    const saved = this.#saved
    this.#saved = undefined
    if (saved) this.#draft?.rebase(saved.data, saved.changes)
    return (this.#draft ??= new Draft(this.#stored?.record.data ?? nothing))
  }

  get sid(): string | undefined {
    return this.#stored?.sid
  }

  get createdAt(): number {
    return this.#stored?.record.created ?? this.#rules.now()
  }

  get expiresAt(): number {
    if (this.#stored && this.#lifetime === undefined) return endOf(this.#rules, this.#stored.record)
    return deadlineOf(this.#rules, this.createdAt, this.lifetime, this.#rules.now())
  }

  get permanent(): boolean {
    return this.#permanent ?? this.#stored?.record.permanent ?? this.#rules.permanent
  }

  set permanent(value: boolean) {
    this.#permanent = value
  }

  get lifetime(): number {
    return this.#lifetime ?? this.#stored?.record.lifetime ?? this.#rules.lifetime
  }

  set lifetime(value: number) {
    this.#lifetime = value
  }

  get modified(): boolean {
    if (this.#doomed || this.#isForced()) return true
    try {
      return this.#changes().size > 0
    } catch {
      // A value that cannot be stored: the save will say so.
      return true
    }
  }

  set modified(value: boolean) {
    this.#forced = value
  }

  /** What the response depends on: for `Vary`. */
  get isUsed(): boolean {
    return this.accessed || this.#isForced()
  }

  assertWritable(): void {
    if (this.#readOnly) throw this.#readOnly
  }

  clear(): void {
    this.#cleared = true
    this.draft.clear()
  }

  /** `ctx.session = null`. */
  doom(): void {
    this.assertWritable()
    this.accessed = true
    this.#doomed ??= this.#stored
    this.#gone = false
    this.#era++
    this.#forget()
    // A stream that goes on after the middleware: there is no other occasion.
    if (this.#ended) void this.#inTurn(() => this.#execute())
  }

  save(): Promise<void> {
    return this.#inTurn(async () => {
      this.assertWritable()
      while (this.#doomed) await this.#execute()
      await this.#save(true)
    })
  }

  regenerate(): Promise<void> {
    return this.#inTurn(async () => {
      this.assertWritable()
      this.accessed = true
      while (this.#doomed) await this.#execute()
      await this.#regenerate()
    })
  }

  destroy(): Promise<void> {
    return this.#inTurn(async () => {
      this.doom()
      await this.#execute()
    })
  }

  /**
   * The end of the request.
   *
   * @param failed the response is a server error and changes are not to be kept: only what removes is carried out.
   */
  async close(failed: boolean): Promise<void> {
    this.#ended = true
    if (this.#pending || this.isUsed || this.#reissue) await this.#inTurn(() => this.#close(failed))
  }

  async #close(failed: boolean): Promise<void> {
    if (this.#readOnly || (!this.isUsed && !this.#reissue)) return
    while (this.#doomed) await this.#execute()
    if (!failed) return this.#save(false)
    if (this.#cleared && this.draft.keys().length === 0) return this.#save(false)
    return this.#refresh()
  }

  async #save(asked: boolean): Promise<void> {
    const changes = this.#changes()
    if (this.#stored) {
      if (changes.size === 0 && !this.#isForced()) return this.#refresh()
      if (this.#outlet.carries && this.#isTooLate(asked, this.#stored.record.id)) return
      return this.#update(this.#stored, changes)
    }
    const data = applyChanges(changes, nothing)
    if (!data) return
    if (this.#gone) return emit({ type: 'dropped', id: undefined, reason: 'gone' })
    if (this.#isTooLate(asked, undefined)) return
    const now = this.#rules.now()
    const era = this.#era
    const stored = await this.#create({ rev: 0, id: '', created: now, expires: 0, permanent: this.permanent, data: nothing }, data, now)
    this.#settle(stored, changes, era, true)
    emit({ type: 'create', id: stored.record.id })
  }

  /** Whether a cookie would be needed that can no longer be sent: nothing is stored that the client could not use. */
  #isTooLate(asked: boolean, id: string | undefined): boolean {
    if (!this.#outlet.closed) return false
    if (asked) throw headersSent('save a session')
    emit({ type: 'dropped', id, reason: 'headers-sent' })
    return true
  }

  /** Stores the base with other data under a new sid. */
  async #create(base: SessionRecord, data: Data, now: number): Promise<Stored> {
    const sid = createSid()
    const record = this.#next({ ...base, rev: 0, id: idOf(sid) }, data, now, true)
    await this.#store.create(record)
    return { sid, record }
  }

  async #update({ sid, record: seen }: Stored, changes: Changes): Promise<void> {
    const now = this.#rules.now()
    const { id } = seen
    const recipe: Recipe = (current) => {
      const data = applyChanges(changes, current.data)
      return data && this.#next(current, data, now, this.#lifetime !== undefined || isDue(this.#rules, current, now))
    }
    const era = this.#era
    const written = await this.#write('save a session', seen, recipe, changes)
    if (written === null) {
      emit({ type: 'destroy', id })
      if (era === this.#era) this.#forget(changes)
      this.#outlet.clear()
    } else if (written) {
      this.#settle({ sid, record: written }, changes, era, this.#needsCookie(seen, written))
      emit({ type: 'save', id })
    }
  }

  /** Moves the deadline, if that is due, and issues the cookie again, if that is. */
  async #refresh(): Promise<void> {
    const stored = this.#stored
    if (!stored) return
    const { sid, record: seen } = stored
    const now = this.#rules.now()
    const due = this.#rules.refreshEachRequest && this.accessed && isDue(this.#rules, seen, now)
    // A cookie that a permanent session needs and cannot get any more would expire before its record.
    if ((!due && !this.#reissue) || (this.#outlet.closed && (seen.permanent || this.#outlet.carries || !due))) return
    const era = this.#era
    let written: SessionRecord | null | undefined
    try {
      written = await this.#write('refresh a session', seen, (current) =>
        isDue(this.#rules, current, now) ? { ...current, expires: deadlineOf(this.#rules, current.created, current.lifetime, now) } : current
      )
    } catch {
      return // told as an event: who only reads is served though the store cannot write
    }
    if (!written) return
    emit({ type: 'refresh', id: written.id })
    if (era !== this.#era) return
    const send = this.#needsCookie(seen, written)
    this.#stored = { sid, record: written }
    this.#reissue = false
    if (send && !this.#outlet.closed) this.#outlet.send(sid, written)
  }

  /** An update of the store; when the record is gone, so is the session. */
  async #write(action: string, seen: SessionRecord, recipe: Recipe, changes?: Changes): Promise<SessionRecord | null | undefined> {
    const { id } = seen
    const era = this.#era
    const written = await this.#store.update(action, seen, recipe)
    if (written === undefined) {
      if (era === this.#era) {
        this.#gone = true
        this.#forget(changes)
      }
      emit({ type: 'dropped', id, reason: 'gone' })
    }
    return written
  }

  async #regenerate(): Promise<void> {
    const old = this.#stored
    if (!old) {
      // Not stored yet, or gone: whatever is set gets a sid of its own when it is saved.
      this.#gone = false
      return
    }
    if (this.#outlet.closed) throw headersSent('regenerate a session')
    const { id } = old.record
    const now = this.#rules.now()
    const era = this.#era
    const changes = this.#changes()
    const { made, last } = await regenerate(old.record, changes, {
      create: (like, data) => this.#create(like, data, now),
      destroy: (each) => this.#store.destroy(each)
    })
    if (made) {
      emit({ type: 'regenerate', id: made.record.id, from: id })
      this.#settle(made, changes, era, true)
      return
    }
    if (era === this.#era) this.#forget(changes)
    if (!last) return
    emit({ type: 'destroy', id })
    this.#outlet.clear()
  }

  /**
   * Carries out `ctx.session = null`. The cookie goes even if the store fails: the user meant to leave. To be asked for in a
   * loop: while one session is being destroyed, and after, the next may be given up.
   */
  async #execute(): Promise<void> {
    if (!this.#doomed) return
    const { id } = this.#doomed.record
    // The record is in the client's cookie: what cannot be cleared any more is not destroyed.
    if (this.#outlet.carries && this.#outlet.closed) throw headersSent('destroy a session')
    this.#outlet.clear()
    await this.#store.destroy(id)
    // Only now: after a failure that nobody looked at, the end of the request tries again, and answers 503 if it must.
    this.#doomed = undefined
    emit({ type: 'destroy', id })
  }

  /** The record that follows, with this request's facts. @throws SessionError `ERR_SESSION_TOO_LARGE` */
  #next(current: SessionRecord, data: Data, now: number, moves: boolean): SessionRecord {
    const next: SessionRecord = { ...current, rev: current.rev + 1, data }
    if (this.#permanent !== undefined) next.permanent = this.#permanent
    if (this.#lifetime !== undefined) next.lifetime = this.#lifetime
    if (moves) next.expires = deadlineOf(this.#rules, next.created, next.lifetime, now)
    const size = measureRecord(next)
    if (size > this.#rules.maxBytes) {
      throw new SessionError(
        'ERR_SESSION_TOO_LARGE',
        `the session has ${size} bytes, maxBytes is ${this.#rules.maxBytes}: keep large data elsewhere and its key in the session`
      )
    }
    return next
  }

  #needsCookie(seen: SessionRecord, written: SessionRecord): boolean {
    return this.#outlet.carries || this.#reissue || seen.permanent !== written.permanent || (written.permanent && seen.expires !== written.expires)
  }

  #changes(): Changes {
    return this.#draft ? this.draft.changes() : new Map()
  }

  #isForced(): boolean {
    return this.#forced || this.#permanent !== undefined || this.#lifetime !== undefined
  }

  /** Sends the cookie and goes on from what is stored now, unless the session was given up while it was being stored. */
  #settle(stored: Stored, changes: Changes, era: number, send: boolean): void {
    if (era !== this.#era) {
      this.#doomed = stored
      return
    }
    // First, because one that is too large is a save that failed.
    if (send && !this.#outlet.closed) this.#outlet.send(stored.sid, stored.record)
    const { data, permanent, lifetime } = stored.record
    this.#stored = stored
    this.#saved = { data, changes }
    this.#forced = this.#cleared = this.#reissue = false
    // What was set while the record was being written is still to be saved.
    if (this.#permanent === permanent) this.#permanent = undefined
    if (this.#lifetime === lifetime) this.#lifetime = undefined
  }

  /** Goes on with an empty session; of one that is gone, with what was done since its changes were told. */
  #forget(changes?: Changes): void {
    const { draft } = this
    this.#stored = undefined
    if (changes) draft.rebase(nothing, changes)
    else this.#draft = new Draft(nothing)
    this.#forced = this.#cleared = this.#reissue = false
    this.#permanent = this.#lifetime = undefined
    this.isNew = true
  }

  /** One at a time: an application may forget to await, and a request must not race with itself. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#pending ? this.#pending.then(work) : work()
    this.#pending = turn.catch(() => undefined)
    return turn
  }
}

function headersSent(action: string): SessionError {
  return new SessionError('ERR_SESSION_HEADERS_SENT', `cannot ${action}: its cookie can no longer be sent; do it before the headers are flushed`)
}