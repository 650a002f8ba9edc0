import { randomBytes } from 'node:crypto'
import type { Json, SessionRecord, SessionStore, StoreScope } from '../store.js'

/** What a backend cannot do, so that the suite does not ask for it. */
export interface StoreCapabilities {
  /**
   * `false`: each store that the factory makes has a backend of its own, so that nothing can be shown between two of them.
   * @default true
   */
  shared?: boolean | undefined
  /**
   * How many updates of one session may be under way at once without one giving up with a conflict.
   * @default 50
   */
  parallel?: number | undefined
  /**
   * The size of the largest record that the suite stores, in bytes.
   * @default 300_000
   */
  largest?: number | undefined
}

/** Makes a store of the given scope, new or on a backend that others use as well. */
export type StoreFactory = (scope: StoreScope) => SessionStore | Promise<SessionStore>

/** One guarantee and what shows it. */
export type Case = readonly [title: string, show: (stage: Stage) => Promise<void>]

/** What one test works with: a prefix and a clock of its own, and stores that are closed when it ends. */
export interface Stage {
  readonly store: SessionStore
  readonly scope: StoreScope
  readonly capabilities: { readonly [Name in keyof StoreCapabilities]-?: NonNullable<StoreCapabilities[Name]> }
  /** A second store on the same backend; where there cannot be one, `undefined` or the first store in another scope. */
  readonly another: (prefix?: string) => Promise<SessionStore | undefined>
  /** Moves the clock forward. */
  readonly advance: (milliseconds: number) => void
  /** A record that was never stored, under a random id, with an hour to live. */
  readonly newRecord: (data?: { [key: string]: Json }) => SessionRecord
}

/** The time that a record of `newRecord` has to live: an hour in milliseconds. */
export const lifetime = 3_600_000

/** Sets the stage, shows the case, and closes every store again. */
export async function onStage(
  factory: StoreFactory,
  { shared = true, parallel = 50, largest = 300_000 }: StoreCapabilities,
  show: Case[1]
): Promise<void> {
  // Servers have clocks of their own, so this one starts at the real time and only ever goes forward.
  let time = Date.now()
  const scope: StoreScope = { prefix: `conformance-${randomBytes(6).toString('hex')}:`, now: () => time }
  const store = await factory(scope)
  const opened = [store]
  try {
    await show({
      store,
      scope,
      capabilities: { shared, parallel, largest },
      async another(prefix = scope.prefix) {
        if (!shared) return store.scope?.({ ...scope, prefix })
        const second = await factory({ ...scope, prefix })
        opened.push(second)
        return second
      },
      advance(milliseconds) {
        time += milliseconds
      },
      newRecord(data = { user: 'momo' }) {
        const id = randomBytes(32).toString('hex')
        return { rev: 1, id, created: time, expires: time + lifetime, permanent: false, data }
      }
    })
  } finally {
    for (const each of opened) await each.close?.()
  }
}
