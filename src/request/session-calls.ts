import { emit } from '../events.js'
import { isPromise, recover, whenDone, type MaybePromise } from '../store/index.js'
import { warnOnce } from '../warn-once.js'
import { carryOut, headersSent, takeKey } from './carry-out.js'
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
  /** Resolves when the last of the calls in progress has ended. */
  #pending: Promise<unknown> | undefined
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
    if (this.#isClosed && session.stored) this.#inBackground(() => carryOut(session, planSave(session.situation(true))))
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
    if (this.#isClosed) this.#inBackground(() => this.#removeEnded())
  }

  save(): Promise<boolean> {
    return this.#promised(() => whenDone(this.#removeEnded(), () => this.#save(false, true)))
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
    return this.#promised(() =>
      this.#orFailRequest(() => {
        const { owner, id } = session.stored?.record ?? {}
        return owner === undefined ? 0 : endOwned(session.store, owner, id)
      })
    )
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
        this.noteAccess()
        return takeKey(this.session, key)
      })
    )
  }

  reload(): Promise<boolean> {
    const { session } = this
    return this.#promised(() => {
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
      if (ctx.respond !== false || this.#isClosed || session.state !== stored || this.#pending || !session.isDue) return
      const { sid, record } = stored
      session.sendCookie({ sid, record: { ...record, expires: deadlineOf(rules, record.created, record.lifetime, rules.now()) } })
      this.#inBackground(() => carryOut(session, { kind: 'refresh' }))
    })
  }

  /**
   * Saves at the end of the request.
   *
   * @param failed `true`: the response is a server error, and changes are not kept then.
   */
  close(failed: boolean): MaybePromise<boolean> {
    this.#isClosed = true
    if (!this.#pending && !this.session.isUsed && !this.session.stored?.reissue) return true
    const closing = this.#inTurn(() => whenDone(this.#removeEnded(), () => this.#save(failed, false)))
    return this.session.migration ? whenDone(closing, (isSaved) => whenDone(this.#endOld(), () => isSaved)) : closing
  }

  /** Ends the sessions of an earlier library if the client's own session is old enough, and waits for those that were ended. */
  #endOld(): MaybePromise<void> {
    const { migration, stored } = this.session
    if (stored) migration?.endAfterGrace(stored.record.created)
    return migration?.whenEnded()
  }

  /** @param asked `true`: the application called `save()`, so failures must reach it. */
  #save(failed: boolean, asked: boolean): MaybePromise<boolean> {
    const { session } = this
    if (asked) this.assertWritable()
    const { state } = session
    if ((state.kind === 'stored' || state.kind === 'new') && state.failure !== undefined) throw state.failure
    if (this.#failure && !asked) throw this.#failure.error
    const step = planSave(session.situation(failed))
    if (step.kind === 'drop' && step.reason === 'headers-sent' && asked) throw headersSent('save a session')
    return carryOut(session, step)
  }

  /** Removes the session that `ctx.session = null` ended. The request may end another one meanwhile, so it looks again afterwards. */
  #removeEnded(): MaybePromise<void> {
    if (!this.session.ended) return this.session.migration?.whenEnded()
    return whenDone(carryOut(this.session, { kind: 'remove' }), () => this.#removeEnded())
  }

  #replace(login?: LoginOptions & { owner: string }): Promise<void> {
    return this.#promised(() => {
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
    if (stored) migration?.end(false)
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

  /** A call of the application: it always returns a promise, which the application need not await. */
  #promised<T>(work: () => MaybePromise<T>): Promise<T> {
    return handled(
      new Promise<T>((resolve) => {
        resolve(this.#inTurn(work))
      })
    )
  }

  /** Runs work after the calls in progress: an application may forget to await one, and a request must not race with itself. */
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

  /** Runs work for which nobody waits. A failure is published as an event and otherwise ignored. */
  #inBackground(work: () => MaybePromise<unknown>): void {
    void recover(() => this.#inTurn(work), () => undefined)
  }

  /** Resolves when the call has ended, and then empties `#pending` if no other call waits behind it. */
  #untilDone(turn: Promise<unknown>): Promise<unknown> {
    const forget = (): void => {
      if (this.#pending === done) this.#pending = undefined
    }
    const done: Promise<unknown> = turn.then(forget, forget)
    return done
  }

  /** Reports changes that are made after the end of the request, unless `save()` follows at once. */
  #reportLate(): void {
    if (this.#willReportLate) return
    this.#willReportLate = true
    setImmediate(() => {
      const { session } = this
      this.#willReportLate = false
      if (this.#pending || !session.modified || session.ended) return
      emit({ type: 'dropped', id: session.stored?.record.id, reason: 'late' })
      warnOnce(
        'ctx.session was changed after its request had ended, and the change is lost: look for a missing `await next()` in a middleware, ' +
          'or call `await ctx.session.save()` after the change'
      )
    })
  }
}

/**
 * Keeps a rejection from ending the process as an unhandled one. An application may forget to await a call, and the end of the request then
 * reports its failure.
 */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}
