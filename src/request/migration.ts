import type { Context } from 'koa'
import type { ResponseToken } from '../cookie/index.js'
import { SessionError, storeError } from '../errors.js'
import { emit } from '../events.js'
import type { Data } from '../record/index.js'
import { isPromise, recover, type MaybePromise } from '../store/index.js'
import { warnOnce } from '../warn-once.js'
import type { OldSession, ResolvedBridge } from './bridge.js'
import { toFoundSession, type FoundSession } from './found-session.js'

/** The bridges of one middleware, and its options that concern them. */
export interface MigrationRules {
  readonly bridges: readonly ResolvedBridge[]
  /** How long a call of a bridge may take, in milliseconds. */
  readonly storeTimeout: number
  readonly now: () => number
}

/**
 * How long an old session stays after it was moved, in milliseconds. A page sends several requests at once. Those that a browser sends
 * before it has the new cookie must be logged in too.
 */
const graceAfterMove = 60_000

/** Moves the session that an earlier library kept for the client of one request into a session of ours. */
export class Migration {
  /** The old session whose data a new session of the client begins with. */
  found: FoundSession | undefined
  readonly #ctx: Context
  readonly #rules: MigrationRules
  readonly #response: ResponseToken
  #removal: MaybePromise<void> | undefined
  #isLogout = false

  constructor(ctx: Context, rules: MigrationRules, response: ResponseToken) {
    this.#ctx = ctx
    this.#rules = rules
    this.#response = response
  }

  /**
   * Asks the bridges, one after another, until one of them finds an old session.
   *
   * @throws SessionError when a bridge fails; TypeError when it answers something else than a session.
   */
  find(): MaybePromise<void> {
    const bridges = this.#bridgesToAsk()
    return bridges.length === 0 ? undefined : this.#ask(bridges)
  }

  async #ask(bridges: readonly ResolvedBridge[]): Promise<void> {
    for (const resolved of bridges) {
      const old = await this.#read(resolved)
      if (old) this.found = toFoundSession(resolved, old)
      if (this.found) return
    }
  }

  /** Reports whether the old session still exists. If another request has ended it, nothing of it may be stored again. */
  async isStillThere({ from }: FoundSession): Promise<boolean> {
    return from.bridge.end === undefined || Boolean(await this.#read(from))
  }

  #read({ bridge }: ResolvedBridge): Promise<OldSession | undefined> {
    return this.#inTime('read an old session', () => bridge.read(this.#ctx, this.#rules.now()))
  }

  /** The data of the old session that a user may have: none if the session belongs to another owner. */
  dataFor(owner: string): Data {
    const { found } = this
    return found && (found.owner === undefined || found.owner === owner) ? found.data : {}
  }

  /** Notes that the old session is a session of ours now. */
  noteMoved(): void {
    const { from } = this.found ?? {}
    this.found = undefined
    // The client loses the old cookie at once, so that no later request can end the old session.
    if (from?.cookies.some((cookie) => this.#response.replaces(cookie))) this.end({ isLogout: false })
  }

  /** Ends the old sessions of a client whose own session was created long enough ago. */
  endAfterGrace(created: number): void {
    if (this.#rules.now() - created >= graceAfterMove) this.end({ isLogout: false })
  }

  /**
   * Ends the old sessions of the client and clears their cookies, which would log it in again.
   *
   * @param options.isLogout `true`: `whenEnded` rejects if an old session cannot be removed.
   */
  end({ isLogout }: { isLogout: boolean }): void {
    this.found = undefined
    this.#isLogout ||= isLogout
    if (this.#removal !== undefined) return
    const bridges = this.#bridgesToAsk()
    this.#response.clearOthers(bridges.flatMap(({ cookies }) => cookies))
    const removal = bridges.length === 0 ? undefined : this.#remove(bridges)
    // The end of the request awaits it: see `whenEnded`.
    removal?.catch(() => undefined)
    this.#removal = removal
  }

  /** Waits until the old sessions are removed. Rejects if that failed and the client wanted to log out. */
  whenEnded(): MaybePromise<void> {
    return recover(
      () => this.#removal,
      (error) => {
        if (this.#isLogout) throw error
      }
    )
  }

  async #remove(bridges: readonly ResolvedBridge[]): Promise<void> {
    for (const { bridge } of bridges) await this.#inTime('remove an old session', () => bridge.end?.(this.#ctx))
  }

  /** The bridges that are still in use and whose cookies the client has. */
  #bridgesToAsk(): readonly ResolvedBridge[] {
    const now = this.#rules.now()
    const { cookie: header } = this.#ctx.req.headers
    return this.#rules.bridges.filter(({ bridge, cookies }) => {
      if (now < bridge.until.getTime()) return bridge.cookies === undefined || cookies.some((cookie) => cookie.isIn(header))
      warnOnce(`the bridge "${bridge.name}" has moved no session since ${bridge.until.toISOString()}: remove it from the option migrate of session()`)
      return false
    })
  }

  async #inTime<T>(action: string, work: () => MaybePromise<T>): Promise<T> {
    const { storeTimeout } = this.#rules
    let timer: NodeJS.Timeout | undefined
    try {
      const answer = work()
      if (!isPromise(answer)) return answer
      const timeout = new Promise<never>((_resolve, reject) => {
        const late = new SessionError('ERR_SESSION_TIMEOUT', `the old session store took over ${storeTimeout} ms to ${action}: look at its backend, or raise storeTimeout`)
        timer = setTimeout(() => reject(late), storeTimeout).unref()
      })
      return await Promise.race([answer, timeout])
    } catch (cause) {
      const error = storeError(action, cause)
      emit({ type: 'store-error', id: undefined, error })
      throw error
    } finally {
      clearTimeout(timer)
    }
  }
}
