/**
 * A map of bounded size, which drops values that were not used lately. Those that were used last, as far as they fill half of it, are always in
 * it.
 *
 * It consists of two maps, and drops the older one whole when the newer one is full. To delete the first entry of one `Map` each time would
 * be shorter, but each search for the first entry walks over all the entries that were deleted before it.
 */
export class RecentMap<Value extends object | string> {
  /** The weight at which the newer map is full. */
  readonly #half: number
  readonly #weigh: (value: Value) => number
  #newer = new Map<string, Value>()
  #older = new Map<string, Value>()
  /** The weight of all values of the newer map. */
  #newerWeight = 0

  /**
   * @param most the weight of all values together, which is exceeded by less than the weight of one value.
   * @param weigh returns the weight of a value, which must not change. Absent: each value weighs 1, and `most` is their number.
   */
  constructor(most: number, weigh: (value: Value) => number = () => 1) {
    this.#half = most / 2
    this.#weigh = weigh
  }

  /** The number of entries. */
  get size(): number {
    return this.#newer.size + this.#older.size
  }

  /** Reports whether the key is present, without marking it as recently used. */
  has(key: string): boolean {
    return this.#newer.has(key) || this.#older.has(key)
  }

  get(key: string): Value | undefined {
    const newer = this.#newer.get(key)
    if (newer !== undefined) return newer
    const older = this.#older.get(key)
    if (older !== undefined) this.set(key, older)
    return older
  }

  set(key: string, value: Value): void {
    this.#older.delete(key)
    const replaced = this.#newer.get(key)
    if (replaced !== undefined) this.#newerWeight -= this.#weigh(replaced)
    this.#newer.set(key, value)
    this.#newerWeight += this.#weigh(value)
    if (this.#newerWeight < this.#half) return
    this.#older = this.#newer
    this.#newer = new Map()
    this.#newerWeight = 0
  }

  delete(key: string): void {
    this.#older.delete(key)
    const value = this.#newer.get(key)
    if (value === undefined) return
    this.#newerWeight -= this.#weigh(value)
    this.#newer.delete(key)
  }

  clear(): void {
    this.#newer.clear()
    this.#older.clear()
    this.#newerWeight = 0
  }
}
