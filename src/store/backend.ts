import type { SessionRecord } from '../record/index.js'
import type { StoreScope } from './contract.js'

/** A stored text, and what the backend needs to replace exactly this state of it (a CAS token), if `rev` and `write` do not suffice. */
export interface Found<Token = unknown> {
  readonly text: string
  readonly token?: Token
}

/** The state that a backend compares with: the record, and the token that came with it. */
export interface Known<Token = unknown> {
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
 * What a compare-and-swap led to. `'done'`: it was carried out. `'gone'`: nothing is stored under the id. `'changed'`: another state is
 * stored, which the caller has to read. If the backend knows that state already, it answers it instead.
 */
export type Swapped<Token = unknown> = 'done' | 'gone' | 'changed' | Found<Token>

/**
 * The few operations that are special to a backend. `createStore` makes a `SessionStore` of them.
 *
 * A backend handles texts under ids that were checked. It need not know about deadlines beyond "keep a record at least a minute longer
 * than `expires`", and need not retry. What it throws becomes a `SessionError` with code `ERR_SESSION_STORE`.
 */
export interface Backend<Token = unknown> {
  /**
   * `true`: the driver never sends a command again by itself, so a conflict is always another's write. Otherwise the kit finds out from
   * `write` whether the conflict is with the very write that it tried, and an update fails if that cannot be known: eight others wrote since.
   */
  readonly sendsOnce?: boolean
  get(id: string): Promise<Found<Token> | undefined>
  /** Stores a text under an id that is free. `false`: the id is taken. */
  insert(id: string, next: Written): Promise<boolean>
  /** Replaces the stored text if it still has the `rev` and the `write` of `from`, in one atomic step. */
  replace(id: string, from: Known<Token>, next: Written): Promise<Swapped<Token>>
  /**
   * Removes the stored text if it still has the `rev` and the `write` of `from`, in one atomic step.
   *
   * @param mark names this removal: a backend whose driver sends commands again can recognise its own removal by it.
   */
  remove(id: string, from: Known<Token>, mark: string): Promise<Swapped<Token>>
  /**
   * Called when `destroy` finds nothing. If removals have to reach replicas, it waits until a removal of the id by another call has
   * reached them.
   */
  confirmGone?(id: string): Promise<void>
  /** Every stored text of the scope, with its id. */
  list?(): AsyncIterable<Found<Token> & { readonly id: string }>
  /**
   * Every stored text that an index names for the owner, with its id. The index may hold too much, never too little: write its entry
   * before the record becomes the owner's (in `insert` and `replace`), and remove it after the record has gone. Hash the owner in names
   * and keys. Absent: the store cannot list the sessions of an owner.
   */
  ownedBy?(owner: string): AsyncIterable<Found<Token> & { readonly id: string }>
  /** Removes records that are gone and answers how many. Absent: the backend expires them by itself. */
  prune?(): Promise<number>
  /** Called when the text under an id is no record, for example to move it aside. */
  corrupt?(id: string, reason: string): Promise<void>
  /** Ends what this scope does in the background. Called once, after the last call has ended. */
  close?(): Promise<void>
}

/** What `createStore` takes. */
export interface StoreDefinition<Token = unknown> {
  /** The name of the store in errors: `redis`. */
  readonly name: string
  /**
   * Makes the backend of one prefix and clock. Called once for each scope.
   *
   * @param closing is aborted as soon as `close()` is called: what the backend does in the background then ends. The kit waits for the
   * calls in progress before it calls the backend's own `close`.
   */
  backend(scope: StoreScope, closing: AbortSignal): Backend<Token>
  /**
   * How often the kit calls `prune` of a backend, in milliseconds, from the first `create` on. Absent or `0`: never, which suits a backend
   * that expires records by itself.
   */
  readonly pruneEvery?: number
  /** What an operator should do about an error of the backend: `raise maxmemory`. `undefined`: nothing is known about it. */
  advice?(error: unknown): string | undefined
  /** Releases what the store opened. Called once, after every scope was closed. */
  close?(): Promise<void>
}
