import { setTimeout as delay } from 'node:timers/promises'
import { reasonOf } from '../../errors.js'
import { isRefusal } from './failures.js'
import type { MongoCollection } from './client.js'

/** How long the first write waits for the indexes, in milliseconds. In a large collection it takes minutes to build them. */
const longestWait = 1_000

/** How soon the store tries again after the server could not be reached, in milliseconds. */
const retryPause = 10_000

/** The indexes, and what goes wrong without them. */
const indexes: readonly { readonly keys: { [field: string]: 1 }; readonly options: object; readonly without: string }[] = [
  {
    keys: { expires: 1 },
    options: { expireAfterSeconds: 0 },
    without: 'expired sessions stay until you call prune()'
  },
  {
    // Most sessions have no owner.
    keys: { owner: 1 },
    options: { sparse: true },
    without: 'MongoDB reads every session to list those of an owner'
  }
]

/**
 * Creates the indexes of a collection, in the background and once in a process. Sessions work without them, so what goes wrong is a warning
 * and no failure.
 */
export class Indexes {
  readonly #collection: MongoCollection
  #first: Promise<unknown> | undefined
  #isSettled = false
  #retryAt = Infinity

  constructor(collection: MongoCollection) {
    this.#collection = collection
  }

  /** Call this with each write. Answers at once if the first write has waited. */
  async ensure(): Promise<void> {
    if (this.#isSettled) return
    if (!this.#first) {
      const stop = new AbortController()
      const late = delay(longestWait, undefined, { ref: false, signal: stop.signal }).catch(() => undefined)
      this.#first = Promise.race([this.#create(), late]).finally(() => stop.abort())
    }
    await this.#first
    if (performance.now() >= this.#retryAt) void this.#create()
  }

  /** Never throws. */
  async #create(): Promise<void> {
    this.#retryAt = Infinity
    try {
      for (const { keys, options, without } of indexes) {
        await this.#collection.createIndex(keys, options).catch((error: unknown) => {
          if (!isRefusal(error)) throw error
          warn(keys, options, without, error)
        })
      }
      this.#isSettled = true
    } catch {
      // The server cannot be reached, as the writes report.
      this.#retryAt = performance.now() + retryPause
    }
  }
}

function warn(keys: object, options: object, without: string, error: unknown): void {
  const index = [keys, options].map((each) => JSON.stringify(each)).join(', ')
  process.emitWarning(
    `MongoDB refuses to create an index for the sessions (${reasonOf(error)}): without it, ${without}; ` +
      `as a user with the role readWrite, drop any other index on the same field and run createIndex(${index}); createIndexes: false ends this warning`,
    'SessionWarning'
  )
}
