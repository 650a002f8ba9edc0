import { recover, whenDone, type MaybePromise } from '../store/index.js'

/** Work that the application may forget to await: if it fails, the end of the request fails too, unless it succeeded later. */
export class UnawaitedWork {
  #failure: { readonly error: unknown } | undefined

  run<T>(work: () => MaybePromise<T>): MaybePromise<T> {
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

  /** @throws the error with which the last work failed, if it did. */
  throwFailure(): void {
    if (this.#failure) throw this.#failure.error
  }
}
