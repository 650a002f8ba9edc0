import { setTimeout as delay } from 'node:timers/promises'
import { reasonOf } from '../../errors.js'
import { isRefusal } from './failures.js'
import type { MongoCollection } from './client.js'

/** How long the first write waits for the indexes, in milliseconds. Building them in a large collection takes minutes. */
const longestWait = 1_000

/** After how many milliseconds the store tries again, if the server could not be reached. */
const retryPause = 10_000

/** The indexes, and the consequence of not having them, as a clause of a warning. */
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
 * Creates the indexes of a collection in the background, once in each process. Sessions work without them, so a failure causes only a
 * warning.
 */
export class Indexes {
  readonly #collection: MongoCollection
  #first: Promise<unknown> | undefined
  #isSettled = false
  #retryAt = Infinity

  constructor(collection: MongoCollection) {
    this.#collection = collection
  }

  /** Call this with each write. It waits until the indexes exist, for a second after the first call at most. */
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
      // The server cannot be reached. The writes report that.
      this.#retryAt = performance.now() + retryPause
    }
  }
}

function warn(keys: object, options: object, without: string, error: unknown): void {
  const index = [keys, options].map((part) => JSON.stringify(part)).join(', ')
  process.emitWarning(
    `MongoDB refuses to create an index for the sessions (${reasonOf(error)}): without it, ${without}; ` +
      `as a user with the role readWrite, drop any other index on the same field and run createIndex(${index}); createIndexes: false ends this warning`,
    'SessionWarning'
  )
}
