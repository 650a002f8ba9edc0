import { emit } from '../events.js'
import { warnOnce } from '../warn-once.js'
import type { CallQueue } from './call-queue.js'
import type { RequestSession } from './request-session.js'

/** Reports changes that are made after the end of the request, unless `save()` follows at once. */
export class LateChanges {
  readonly #session: RequestSession
  readonly #queue: CallQueue
  #willReport = false

  constructor(session: RequestSession, queue: CallQueue) {
    this.#session = session
    this.#queue = queue
  }

  /** Call this before each late change. */
  report(): void {
    if (this.#willReport) return
    this.#willReport = true
    setImmediate(() => {
      const session = this.#session
      this.#willReport = false
      if (this.#queue.isBusy || !session.modified || session.ended) return
      emit({ type: 'dropped', id: session.stored?.record.id, reason: 'late' })
      warnOnce(
        'ctx.session was changed after its request had ended, and the change is lost: look for a missing `await next()` in a middleware, ' +
          'or call `await ctx.session.save()` after the change'
      )
    })
  }
}
