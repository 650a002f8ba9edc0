import { emit } from '../events.js'
import { recover, whenDone, type MaybePromise } from '../store/index.js'
import { warnOnce } from '../warn-once.js'
import { CallQueue } from './call-queue.js'
import { carryOut, takeKey } from './carry-out.js'
import { headersSentError } from './headers-sent-error.js'
import { deadlineOf, isDue } from './lifetimes.js'
import { endOwned, enforceMaxPerOwner } from './owned-sessions.js'
import { planSave } from './plan.js'
import { replaceSid, type LoginOptions } from './replace-sid.js'
import type { Assigned, RequestSession } from './request-session.js'

/** The error for an option or a call that needs a store with lists of owners' sessions. */
export const cannotListOwners =
  'this store cannot list the sessions of an owner (a cookie has no server side, and memcached may forget an index at any time): ' +
  'use fileStore(), redisStore(), mongoStore() or sqlStore()'

/**
 * The calls of one request's session: those of `ctx.session`, and the save at the end of the request.
 *
 * It makes calls to the store one after another, and sends a cookie only after the session that it names is stored.
 */
export class SessionCalls {
  readonly session: RequestSession
  readonly #queue = new CallQueue()
  /** The middleware has ended. */
  #isClosed = false
  /** A report of late changes is scheduled. */
  #willReportLate = false
  /** Why sessions of the owner could not be ended. */
  #failure: { readonly error: unknown } | undefined

  constructor(session: RequestSession) {
    this.session = session
  }

  /** Notes that the request reads or sets data. */
  noteAccess(): void {
    const { session } = this
    if (session.accessed) return
    session.accessed = true
    this.noteUse()
    // Koa writes some responses after the middleware has ended, and reads the session then: `ctx.body = { me: ctx.session }`.
    if (this.#isClosed && session.stored) this.#queue.runInBackground(() => carryOut(session, planSave(session.situation({ failed: true }))))
  }

  /** Notes that the response depends on the session. */
  noteUse(): void {
    const { session } = this
    if (session.isUsed) return
    session.isUsed = true
    if (this.#isClosed) session.response.vary()
  }

  /** Call this before each change. @throws SessionError when the session is read-only. */
  assertWritable(): void {
    const { state } = this.session
    if (state.kind === 'read-only') throw state.error
    if (this.#isClosed) this.#reportLate()
  }

  assign(assigned: Assigned): void {
    this.assertWritable()
    this.noteUse()
    this.session.assign(assigned)
  }

  clear(): void {
    this.assertWritable()
    this.noteAccess()
    this.session.clear()
  }

  /** `ctx.session = null`. The end of the request removes the session. */
  end(): void {
    this.assertWritable()
    this.noteAccess()
    this.session.end()
    // A stream may end the session after the middleware has ended. No later step would remove it.
    if (this.#isClosed) this.#queue.runInBackground(() => this.#removeEnded())
  }

  save(): Promise<boolean> {
    return this.#queue.runForApplication(() => whenDone(this.#removeEnded(), () => this.#save({ failed: false, isExplicit: true })))
  }

  regenerate(): Promise<void> {
    return this.#replace()
  }

  loginAs(owner: string, options: LoginOptions): Promise<void> {
    return this.#replace({ owner, ...options })
  }

  /** Ends the owner's other sessions. @throws TypeError when the store cannot list the sessions of an owner. */
  endOthers(): Promise<number> {
    this.assertWritable()
    this.noteAccess()
    const { session } = this
    if (!session.store.listsOwners) throw new TypeError(`ctx.session.endOthers(): ${cannotListOwners}`)
    return this.#queue.runForApplication(() =>
      this.#orFailRequest(() => {
        const { owner, id } = session.stored?.record ?? {}
        return owner === undefined ? 0 : endOwned(session.store, owner, id)
      })
    )
  }

  destroy(): Promise<void> {
    return this.#queue.runForApplication(() => {
      this.end()
      return this.#removeEnded()
    })
  }

  take(key: string): Promise<unknown> {
    return this.#queue.runForApplication(() =>
      whenDone(this.#removeEnded(), () => {
        this.assertWritable()
        this.noteAccess()
        return takeKey(this.session, key)
      })
    )
  }

  reload(): Promise<boolean> {
    const { session } = this
    return this.#queue.runForApplication(() => {
      this.noteAccess()
      const before = session.stored
      if (!before) return false
      return whenDone(session.store.read(before.record.id), (atRest) => {
        if (session.state !== before) return false
        const record = atRest && !atRest.moved ? session.sealing.open(atRest, before.sid) : undefined
        if (atRest && record) {
          session.useReloaded({ ...before, record, atRest })
          return true
        }
        session.state = { kind: atRest?.moved ? 'moved' : 'gone' }
        session.startAnew()
        return false
      })
    })
  }

  /**
   * Sends the cookie of a due refresh when the headers leave, if the application answers by itself (`ctx.respond = false`). Its headers may
   * leave before the end of the request, which would be too late for the cookie.
   */
  refreshWithHeaders(ctx: { respond?: boolean | undefined }): void {
    const { session } = this
    const { stored, rules } = session
    const hasExpiry = stored && (stored.record.permanent || session.carrier)
    if (!hasExpiry || !rules.refreshEachRequest || !isDue(rules, stored.record, rules.now())) return
    session.response.beforeHeaders(() => {
      if (ctx.respond !== false || this.#isClosed || session.state !== stored || this.#queue.isBusy || !session.isDue) return
      const { sid, record } = stored
      session.sendCookie({ sid, record: { ...record, expires: deadlineOf(rules, record.created, record.lifetime, rules.now()) } })
      this.#queue.runInBackground(() => carryOut(session, { kind: 'refresh' }))
    })
  }

  /**
   * Saves at the end of the request.
   *
   * @param options.failed `true`: the response is a server error, and changes are not kept then.
   */
  close({ failed }: { failed: boolean }): MaybePromise<boolean> {
    this.#isClosed = true
    if (!this.#queue.isBusy && !this.session.isUsed && !this.session.stored?.reissue) return true
    const closing = this.#queue.run(() => whenDone(this.#removeEnded(), () => this.#save({ failed, isExplicit: false })))
    return this.session.migration ? whenDone(closing, (isSaved) => whenDone(this.#endOld(), () => isSaved)) : closing
  }

  /** Ends the sessions of an earlier library if the client's own session is old enough, and waits for those that were ended. */
  #endOld(): MaybePromise<void> {
    const { migration, stored } = this.session
    if (stored) migration?.endAfterGrace(stored.record.created)
    return migration?.whenEnded()
  }

  /** @param options.isExplicit `true`: the application called `save()`, so failures must reach it. */
  #save({ failed, isExplicit }: { failed: boolean; isExplicit: boolean }): MaybePromise<boolean> {
    const { session } = this
    if (isExplicit) this.assertWritable()
    const { state } = session
    if ((state.kind === 'stored' || state.kind === 'new') && state.failure !== undefined) throw state.failure
    if (this.#failure && !isExplicit) throw this.#failure.error
    const step = planSave(session.situation({ failed }))
    if (step.kind === 'drop' && step.reason === 'headers-sent' && isExplicit) throw headersSentError('save a session')
    return carryOut(session, step)
  }

  /** Removes the session that `ctx.session = null` ended. The request may end another one meanwhile, so it looks again afterwards. */
  #removeEnded(): MaybePromise<void> {
    if (!this.session.ended) return this.session.migration?.whenEnded()
    return whenDone(carryOut(this.session, { kind: 'remove' }), () => this.#removeEnded())
  }

  #replace(login?: LoginOptions & { owner: string }): Promise<void> {
    return this.#queue.runForApplication(() => {
      this.assertWritable()
      this.noteAccess()
      return whenDone(this.#removeEnded(), () =>
        whenDone(replaceSid(this.session, login), () => {
          this.#endReplaced()
          return login && this.#orFailRequest(() => this.#enforceMaxPerOwner(login.owner))
        })
      )
    })
  }

  /** Ends the sessions of an earlier library: with a new sid, no older cookie may open a session. */
  #endReplaced(): void {
    const { migration, stored } = this.session
    if (stored) migration?.end({ isLogout: false })
  }

  #enforceMaxPerOwner(owner: string): MaybePromise<void> {
    const { store, stored, rules } = this.session
    if (rules.maxPerOwner !== undefined && stored?.record.owner === owner) return enforceMaxPerOwner(store, stored.record, rules.maxPerOwner)
  }

  /** Runs work that the application may forget to await: if it fails, the end of the request fails too, unless it succeeded later. */
  #orFailRequest<T>(work: () => MaybePromise<T>): MaybePromise<T> {
    return recover(
      () =>
        whenDone(work(), (value) => {
          this.#failure = undefined
          return value
        }),
      (error) => {
        this.#failure = { error }
        throw error
      }
    )
  }

  /** Reports changes that are made after the end of the request, unless `save()` follows at once. */
  #reportLate(): void {
    if (this.#willReportLate) return
    this.#willReportLate = true
    setImmediate(() => {
      const { session } = this
      this.#willReportLate = false
      if (this.#queue.isBusy || !session.modified || session.ended) return
      emit({ type: 'dropped', id: session.stored?.record.id, reason: 'late' })
      warnOnce(
        'ctx.session was changed after its request had ended, and the change is lost: look for a missing `await next()` in a middleware, ' +
          'or call `await ctx.session.save()` after the change'
      )
    })
  }
}
