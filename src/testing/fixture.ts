import { randomBytes } from 'node:crypto'
import { createMark, type Json, type MaybePromise, type SessionRecord, type SessionStore, type StoreScope } from '../store/index.js'
import { watchStore, type WatchedStore } from './watched-store.js'

/** The limits of a backend, which the suite respects. */
export interface StoreCapabilities {
  /**
   * `false`: each store that the factory makes has a backend of its own, so that the suite cannot test two stores on one backend.
   * @default true
   */
  shared?: boolean | undefined
  /**
   * How many updates of one session may be in progress at once before some of them may fail with a conflict.
   * @default 50
   */
  parallel?: number | undefined
  /**
   * The size of the largest text that the suite stores, in bytes.
   * @default 300_000
   */
  largest?: number | undefined
  /**
   * `true`: the store moves a text that is not a record aside, so that it does not stay under its id.
   * @default false
   */
  movesCorrupt?: boolean | undefined
}

/** A store, and functions that write and read the backend's texts without it. */
export interface StoreWithTexts {
  readonly store: SessionStore
  /** Writes any text where the backend keeps the record of the id. */
  readonly put?: ((id: string, text: string) => MaybePromise<void>) | undefined
  /** The text that the backend has under the id. */
  readonly get?: ((id: string) => MaybePromise<string | undefined>) | undefined
}

/**
 * Makes a store with the given scope, on a new backend or on one that other tests use as well. With `put` and `get`, the suite also tests what
 * the store does with texts that are not records.
 */
export type StoreFactory = (scope: StoreScope) => MaybePromise<SessionStore | StoreWithTexts>

/** A guarantee, and the function that tests it. */
export type Case = readonly [title: string, run: (fixture: Fixture) => Promise<void>]

/** The objects with which one test works: a store with a prefix and a clock of its own, and helpers. Its stores are closed when it ends. */
export interface Fixture {
  readonly store: WatchedStore
  readonly scope: StoreScope
  readonly capabilities: { readonly [Name in keyof StoreCapabilities]-?: NonNullable<StoreCapabilities[Name]> }
  readonly put: StoreWithTexts['put']
  readonly get: StoreWithTexts['get']
  /** Opens a second store on the same backend. If there cannot be one: `undefined`, or the first store in another scope. */
  readonly another: (prefix?: string) => Promise<WatchedStore | undefined>
  /** Moves the clock forward. */
  readonly advance: (milliseconds: number) => void
  /** Makes a record with a random id that expires in an hour. It does not store it. */
  readonly newRecord: (data?: { [key: string]: Json }, fields?: Partial<SessionRecord>) => SessionRecord
}

/** After how many milliseconds a record of `newRecord` expires: an hour. */
export const lifetime = 3_600_000

/** Makes a fixture, runs the case with it, and closes every store. */
export async function withFixture(
  factory: StoreFactory,
  { shared = true, parallel = 50, largest = 300_000, movesCorrupt = false }: StoreCapabilities,
  run: Case[1]
): Promise<void> {
  // Servers have clocks of their own, so this one starts at the real time and only moves forward.
  let time = Date.now()
  const scope: StoreScope = { prefix: `conformance-${randomBytes(6).toString('hex')}:`, now: () => time, largest }
  const opened: SessionStore[] = []
  const open = async (prefix: string): Promise<StoreWithTexts> => {
    const answer = await factory({ ...scope, prefix })
    const withTexts = 'store' in answer ? answer : { store: answer }
    opened.push(withTexts.store)
    return withTexts
  }
  try {
    const { store, put, get } = await open(scope.prefix)
    await run({
      store: watchStore(store),
      scope,
      capabilities: { shared, parallel, largest, movesCorrupt },
      put,
      get,
      async another(prefix = scope.prefix) {
        const second = shared ? (await open(prefix)).store : store.scope?.({ ...scope, prefix })
        return second && watchStore(second)
      },
      advance(milliseconds) {
        time += milliseconds
      },
      newRecord(data = { user: 'momo' }, fields = {}) {
        const id = randomBytes(32).toString('hex')
        return { rev: 1, write: createMark(), id, created: time, used: time, expires: time + lifetime, permanent: false, ...fields, data }
      }
    })
  } finally {
    for (const store of opened) await store.close?.()
  }
}
