import { whenDone, type MaybePromise } from '../store/index.js'
import { CallQueue } from './call-queue.js'
import { carryOut, takeKey } from './carry-out.js'
import { headersSentError } from './headers-sent-error.js'
import { LateChanges } from './late-changes.js'
import { deadlineOf, isDue } from './lifetimes.js'
import { cannotListOwners, endOwned, enforceMaxPerOwner } from './owned-sessions.js'
import { planSave } from './plan.js'
import { reload } from './reload.js'
import { replaceSid, type LoginOptions } from './replace-sid.js'
import type { Assigned, RequestSession } from './request-session.js'
import { situationOf } from './situation.js'
import { UnawaitedWork } from './unawaited-work.js'

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
  readonly #lateChanges: LateChanges
  /** The work that ends sessions of the owner. */
  readonly #ending = new UnawaitedWork()

  constructor(session: RequestSession) {
    this.session = session
    this.#lateChanges = new LateChanges(session, this.#queue)
  }

  /** Notes that the request reads or sets data. */
  noteAccess(): void {
    const { session } = this
    if (session.accessed) return
    session.accessed = true
    this.noteUse()
    // Koa writes some responses after the middleware has ended, and reads the session then: `ctx.body = { me: ctx.session }`.
    if (this.#isClosed && session.stored) this.#queue.runInBackground(() => carryOut(session, planSave(situationOf(session, { failed: true }))))
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
    if (this.#isClosed) this.#lateChanges.report()
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
      this.#ending.run(() => {
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
    return this.#queue.runForApplication(() => {
      this.noteAccess()
      return reload(this.session)
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
    if (!isExplicit) this.#ending.throwFailure()
    const step = planSave(situationOf(session, { failed }))
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
          return login && this.#ending.run(() => this.#enforceMaxPerOwner(login.owner))
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
}
