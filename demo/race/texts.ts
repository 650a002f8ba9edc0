import { setTimeout } from 'node:timers/promises'

/** How long each call takes, in milliseconds: as to a server in the same building. */
export const callTime = 1

/** Keeps texts in memory. Both libraries of the race use one, each through its own kind of store. */
export class Texts {
  readonly #texts = new Map<string, string>()

  async get(key: string): Promise<string | undefined> {
    await setTimeout(callTime)
    return this.#texts.get(key)
  }

  async set(key: string, text: string): Promise<void> {
    await setTimeout(callTime)
    this.#texts.set(key, text)
  }

  async delete(key: string): Promise<void> {
    await setTimeout(callTime)
    this.#texts.delete(key)
  }

  /** Sets a text, or deletes it if `next` is `undefined`, in one atomic step, unless `isExpected` refuses the stored one. */
  async swap(key: string, isExpected: (stored: string | undefined) => boolean, next: string | undefined): Promise<'done' | 'gone' | 'changed'> {
    await setTimeout(callTime)
    const stored = this.#texts.get(key)
    if (!isExpected(stored)) return stored === undefined ? 'gone' : 'changed'
    if (next === undefined) this.#texts.delete(key)
    else this.#texts.set(key, next)
    return 'done'
  }
}
