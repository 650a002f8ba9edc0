import { SessionError } from '../errors.js'

/** The calls of one store that are under way: `close()` refuses others, and waits for these. */
export class Calls {
  readonly #store: string
  /** A number: see under-way.ts for what a `Set` would cost. */
  #pending = 0
  #idle: (() => void) | undefined
  #closed = false

  /** @param store what the store is called in the error of a call that comes too late. */
  constructor(store: string) {
    this.#store = store
  }

  get closed(): boolean {
    return this.#closed
  }

  /** @throws SessionError `ERR_SESSION_STORE` after `close()`. */
  assertOpen(): void {
    if (this.#closed) throw new SessionError('ERR_SESSION_STORE', `the ${this.#store} store is closed: make a new one to go on`)
  }

  /** To be followed by `end()`. @throws SessionError `ERR_SESSION_STORE` after `close()`. */
  begin(): void {
    this.assertOpen()
    this.#pending++
  }

  end(): void {
    if (--this.#pending === 0) this.#idle?.()
  }

  /** Resolves when no call is under way any more. */
  close(): Promise<void> {
    this.#closed = true
    return new Promise((resolve) => {
      if (this.#pending === 0) resolve()
      else this.#idle = resolve
    })
  }
}
