import type { SessionRecord } from '../record/index.js'
import type { MaybePromise, StoreScope } from './contract.js'

/** A stored text, and a token (a CAS token) if the backend needs more than `rev` and `write` to replace exactly this state of it. */
export interface Found<Token = unknown> {
  readonly text: string
  readonly token?: Token
}

/** The state with which a backend compares the stored one: the record, and the token that came with it. */
export interface RecordWithToken<Token = unknown> {
  readonly record: SessionRecord
  /** Absent: the record did not come from `get`, but from a write or another store. */
  readonly token?: Token | undefined
}

/** A record to be stored, and its text. */
export interface Written {
  readonly record: SessionRecord
  readonly text: string
}

/**
 * The result of a compare-and-swap. `'done'`: it was carried out. `'gone'`: nothing is stored under the id. `'changed'`: another state is
 * stored, which the kit then reads. A backend that knows that state already returns it instead. A backend that keeps the marks of removals
 * returns `Removed` instead of `'gone'`.
 */
export type SwapResult<Token = unknown> = 'done' | 'gone' | 'changed' | Found<Token> | Removed

/** The record was removed, by the removal with this mark. So the kit finds out whether a command that the driver sent twice came before it. */
export interface Removed {
  readonly removedBy: string
}

/**
 * The operations that differ between backends. `createStore` makes a `SessionStore` of them.
 *
 * A backend stores texts under ids that the kit has checked. It must keep a record for at least a minute after `expires`. It need not check
 * deadlines and need not retry. An error that it throws becomes a `SessionError` with code `ERR_SESSION_STORE`.
 */
export interface Backend<Token = unknown> {
  /**
   * `true`: the driver never sends a command again by itself, so a conflict always means that somebody else has written. Otherwise the kit
   * finds out from `write` whether it met its own write. An update fails if that cannot be known, because eight other writers wrote since.
   */
  readonly sendsOnce?: boolean
  get(id: string): Promise<Found<Token> | undefined>
  /**
   * Stores a text under an id that is free. `false`: the id is taken. `Removed`: it holds the mark of a removal.
   *
   * @param over the mark of a removal which the text replaces, if it is still there.
   */
  insert(id: string, next: Written, over?: Removed): Promise<boolean | Removed>
  /** Replaces the stored text if it still has the `rev` and the `write` of `from`, in one atomic step. */
  replace(id: string, from: RecordWithToken<Token>, next: Written): Promise<SwapResult<Token>>
  /**
   * Removes the stored text if it still has the `rev` and the `write` of `from`, in one atomic step.
   *
   * @param mark names this removal: a backend whose driver sends commands again can recognise its own removal by it.
   */
  remove(id: string, from: RecordWithToken<Token>, mark: string): Promise<SwapResult<Token>>
  /**
   * Called when `destroy` finds nothing. A backend whose removals must reach replicas waits here until an earlier removal of the id has
   * reached them.
   */
  confirmGone?(id: string): Promise<void>
  /** Lists every stored text of the scope, with its id. Absent: the store cannot list sessions. */
  list?(): AsyncIterable<Found<Token> & { readonly id: string }>
  /**
   * Lists every stored text that an index names for the owner, with its id. The index may have too many entries, but never too few: in
   * `insert` and `replace`, write the entry before the record becomes the owner's, and remove it only after the record is gone. Hash the
   * owner in names and keys. Absent: the store cannot list the sessions of an owner.
   */
  ownedBy?(owner: string): AsyncIterable<Found<Token> & { readonly id: string }>
  /** Removes records that are gone and returns how many it removed. Absent: the backend expires them by itself. */
  prune?(): Promise<number>
  /** Called when the text under an id is not a record, for example to move it aside. */
  corrupt?(id: string, reason: string): Promise<void>
  /** Ends the background work of this scope. Called once, after the last call has ended. */
  close?(): Promise<void>
}

/** The argument of `createStore`. */
export interface StoreDefinition<Token = unknown> {
  /** The name of the store in errors: `redis`. */
  readonly name: string
  /**
   * Makes the backend of one prefix and clock. Called once for each scope.
   *
   * @param closing is aborted as soon as `close()` is called. The backend then ends its background work. The kit waits for the calls in
   * progress before it calls the backend's own `close`.
   */
  backend(scope: StoreScope, closing: AbortSignal): Backend<Token>
  /**
   * How often the kit calls `prune` of a backend, in milliseconds, from the first call to the scope on. Absent or `0`: never, for a backend
   * that expires records by itself.
   */
  readonly pruneEvery?: number
  /**
   * Called when a middleware begins to use the store: look whether the server is there. The middleware warns if this fails, so that a server
   * that is down is reported before the first request. Keep no process alive that has nothing else to do.
   */
  start?(): MaybePromise<unknown>
  /** Names the backend in errors, with its address and without a password: `Redis at localhost:6379`. @default name */
  backendName?(): string
  /** Advice for an operator whose backend is too slow: `look at SLOWLOG`. @default 'look at the backend' */
  readonly whenSlow?: string
  /** Advice for an operator about an error of the backend: `raise maxmemory`. `undefined`: there is none. */
  advice?(error: unknown): string | undefined
  /** Closes the connections that the store opened. Called once, after every scope was closed. */
  close?(): Promise<void>
}
