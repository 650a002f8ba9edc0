import { setImmediate } from 'node:timers/promises'

export interface Candidate {
  /** A SHA-256 in lower-case hex. */
  readonly id: string
  /** The candidates with the lowest ranks are kept. */
  readonly rank: number
}

/** The size of an id in bytes. */
const idBytes = 32
/** How many candidates are dropped before other work can run. They take about 3 ms. */
const dropsPerTurn = 10_000

/**
 * Keeps the candidates with the lowest ranks of all that are offered, in a heap with the highest of these ranks at the top. So a directory of
 * a million files needs neither a million entries nor a sort that would block the event loop.
 *
 * It uses flat arrays, with 44 bytes for each candidate: with a hundred thousand small objects, the garbage collector blocked the event loop
 * for 30 ms.
 */
export class LowestRanks {
  readonly #capacity: number
  readonly #ids: Buffer
  readonly #ranks: Float64Array
  /** The heap: for each position in it, the index of a candidate in the two above. */
  readonly #heap: Uint32Array
  #size = 0

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#ids = Buffer.alloc(capacity * idBytes)
    this.#ranks = new Float64Array(capacity)
    this.#heap = new Uint32Array(capacity)
  }

  offer(candidate: Candidate): void {
    if (this.#size < this.#capacity) {
      this.#heap[this.#size] = this.#size
      this.#put(candidate, this.#size)
      this.#moveUp(this.#size++)
    } else if (this.#capacity > 0 && candidate.rank < this.#rankOf(0)) {
      this.#put(candidate, 0)
      this.#moveDown()
    }
  }

  /** The `count` candidates with the lowest ranks, in no order. Do not offer candidates afterwards. */
  async *lowest(count: number): AsyncGenerator<Candidate> {
    while (this.#size > count) {
      this.#swap(0, --this.#size)
      this.#moveDown()
      if (this.#size % dropsPerTurn === 0) await setImmediate()
    }
    for (let position = 0; position < this.#size; position++) {
      const index = this.#heap[position]!
      yield { id: this.#ids.toString('hex', index * idBytes, (index + 1) * idBytes), rank: this.#ranks[index]! }
    }
  }

  #put({ id, rank }: Candidate, position: number): void {
    const index = this.#heap[position]!
    this.#ids.write(id, index * idBytes, 'hex')
    this.#ranks[index] = rank
  }

  #rankOf(position: number): number {
    return this.#ranks[this.#heap[position]!]!
  }

  #swap(a: number, b: number): void {
    const kept = this.#heap[a]!
    this.#heap[a] = this.#heap[b]!
    this.#heap[b] = kept
  }

  #moveUp(from: number): void {
    for (let position = from; position > 0; ) {
      const above = (position - 1) >> 1
      if (this.#rankOf(above) >= this.#rankOf(position)) return
      this.#swap(position, above)
      position = above
    }
  }

  #moveDown(): void {
    for (let position = 0; ; ) {
      const left = 2 * position + 1
      let highest = position
      if (left < this.#size && this.#rankOf(left) > this.#rankOf(highest)) highest = left
      if (left + 1 < this.#size && this.#rankOf(left + 1) > this.#rankOf(highest)) highest = left + 1
      if (highest === position) return
      this.#swap(position, highest)
      position = highest
    }
  }
}
