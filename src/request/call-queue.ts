import { isPromise, recover, type MaybePromise } from '../store/index.js'

/** Runs the calls of one request one after another: an application may forget to await one, and a request must not race with itself. */
export class CallQueue {
  /** Resolves when the last of the calls in progress has ended. */
  #pending: Promise<unknown> | undefined

  /** `true` while a call is in progress. */
  get isBusy(): boolean {
    return this.#pending !== undefined
  }

  /** Runs a call of the application. It always returns a promise, which the application need not await. */
  runForApplication<T>(work: () => MaybePromise<T>): Promise<T> {
    return withHandledRejection(
      new Promise<T>((resolve) => {
        resolve(this.run(work))
      })
    )
  }

  /** Runs work after the calls in progress. It returns the value itself if there is nothing to wait for. */
  run<T>(work: () => MaybePromise<T>): MaybePromise<T> {
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
  runInBackground(work: () => MaybePromise<unknown>): void {
    void recover(() => this.run(work), () => undefined)
  }

  /** Resolves when the call has ended, and then empties `#pending` if no other call waits behind it. */
  #untilDone(turn: Promise<unknown>): Promise<unknown> {
    const forget = (): void => {
      if (this.#pending === done) this.#pending = undefined
    }
    const done: Promise<unknown> = turn.then(forget, forget)
    return done
  }
}

/**
 * Keeps a rejection from ending the process as an unhandled one. An application may forget to await a call, and the end of the request then
 * reports its failure.
 */
function withHandledRejection<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}
