import { hash } from 'node:crypto'

/** Random numbers that follow from a seed (Marsaglia's xorshift32). */
export class Random {
  #state: number

  constructor(seed: string) {
    this.#state = Number.parseInt(hash('sha256', seed).slice(0, 8), 16) || 1
  }

  /** From 0 to below 1. */
  next(): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state >>> 0
    return this.#state / 2 ** 32
  }

  /** A whole number from 0 to below the limit. */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  /** One of the keys, each as often as its weight says. */
  weighted<Key extends string>(weights: { readonly [Name in Key]: number }): Key {
    const entries = Object.entries(weights) as [Key, number][]
    let rest = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    return (entries.find(([, weight]) => (rest -= weight) < 0) ?? entries.at(-1)!)[0]
  }
}
