import { randomBytes } from 'node:crypto'
import { createMark, type Json, type MaybePromise, type SessionRecord, type SessionStore, type StoreScope } from '../store/index.js'
import { watchStore, type WatchedStore } from './watched-store.js'

/** What a backend cannot do, so that the suite does not ask for it. */
export interface StoreCapabilities {
  /**
   * `false`: each store that the factory makes has a backend of its own, so that nothing can be shown between two of them.
   * @default true
   */
  shared?: boolean | undefined
  /**
   * How many updates of one session may be in progress at once without one that fails with a conflict.
   * @default 50
   */
  parallel?: number | undefined
  /**
   * The size of the largest text that the suite stores, in bytes.
   * @default 300_000
   */
  largest?: number | undefined
  /**
   * `true`: the store moves a text that is no record aside, so that it does not stay under its id.
   * @default false
   */
  movesCorrupt?: boolean | undefined
}

/** A store, and the backend's texts behind its back. */
export interface StoreWithTexts {
  readonly store: SessionStore
  /** Writes any text to where the backend keeps the text of the id's record. */
  readonly put?: ((id: string, text: string) => MaybePromise<void>) | undefined
  /** The text that the backend has under the id. */
  readonly get?: ((id: string) => MaybePromise<string | undefined>) | undefined
}

/**
 * Makes a store of the given scope, new or on a backend that others use as well. With `put` and `get`, the suite also shows what the store
 * does with texts that are no records.
 */
export type StoreFactory = (scope: StoreScope) => MaybePromise<SessionStore | StoreWithTexts>

/** One guarantee and what shows it. */
export type Case = readonly [title: string, show: (stage: Stage) => Promise<void>]

/** What one test works with: a prefix and a clock of its own, and stores that are closed when it ends. */
export interface Stage {
  readonly store: WatchedStore
  readonly scope: StoreScope
  readonly capabilities: { readonly [Name in keyof StoreCapabilities]-?: NonNullable<StoreCapabilities[Name]> }
  readonly put: StoreWithTexts['put']
  readonly get: StoreWithTexts['get']
  /** A second store on the same backend; where there cannot be one, `undefined` or the first store in another scope. */
  readonly another: (prefix?: string) => Promise<WatchedStore | undefined>
  /** Moves the clock forward. */
  readonly advance: (milliseconds: number) => void
  /** A record that was never stored, under a random id, with an hour to live. */
  readonly newRecord: (data?: { [key: string]: Json }, fields?: Partial<SessionRecord>) => SessionRecord
}

/** The time that a record of `newRecord` has to live: an hour in milliseconds. */
export const lifetime = 3_600_000

/** Sets the stage, shows the case, and closes every store again. */
export async function onStage(
  factory: StoreFactory,
  { shared = true, parallel = 50, largest = 300_000, movesCorrupt = false }: StoreCapabilities,
  show: Case[1]
): Promise<void> {
  // Servers have clocks of their own, so this one starts at the real time and only ever goes forward.
  let time = Date.now()
  const scope: StoreScope = { prefix: `conformance-${randomBytes(6).toString('hex')}:`, now: () => time, largest }
  const opened: SessionStore[] = []
  const open = async (prefix: string): Promise<StoreWithTexts> => {
    const made = await factory({ ...scope, prefix })
    const withTexts = 'store' in made ? made : { store: made }
    opened.push(withTexts.store)
    return withTexts
  }
  try {
    const { store, put, get } = await open(scope.prefix)
    await show({
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
    for (const each of opened) await each.close?.()
  }
}
