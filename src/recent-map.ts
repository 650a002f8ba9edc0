/**
 * A map of bounded size, which drops values that were not used lately. Those that were used last, as far as they fill half of it, are always in
 * it.
 *
 * It consists of two maps, and drops the older one whole when the newer one is full. To delete the first entry of one `Map` each time would
 * be shorter, but each search for the first entry walks over all the entries that were deleted before it.
 */
export class RecentMap<Value extends object | string> {
  /** The size at which the newer map is full. */
  readonly #half: number
  readonly #sizeOf: (value: Value) => number
  #newer = new Map<string, Value>()
  #older = new Map<string, Value>()
  /** The size of all values of the newer map. */
  #newerSize = 0

  /**
   * @param most the largest size of all values together. Only a value that is larger than half of it can exceed it.
   * @param sizeOf returns the size of a value, which must not change. Absent: each value counts as 1.
   */
  constructor(most: number, sizeOf: (value: Value) => number = () => 1) {
    this.#half = most / 2
    this.#sizeOf = sizeOf
  }

  get size(): number {
    return this.#newer.size + this.#older.size
  }

  /** Reports whether the key is present, without marking it as recently used. */
  has(key: string): boolean {
    return this.#newer.has(key) || this.#older.has(key)
  }

  get(key: string): Value | undefined {
    const newer = this.#newer.get(key)
    if (newer) return newer
    const older = this.#older.get(key)
    if (older) this.set(key, older)
    return older
  }

  set(key: string, value: Value): void {
    this.#older.delete(key)
    const replaced = this.#newer.get(key)
    if (replaced) this.#newerSize -= this.#sizeOf(replaced)
    this.#newer.set(key, value)
    this.#newerSize += this.#sizeOf(value)
    if (this.#newerSize < this.#half) return
    this.#older = this.#newer
    this.#newer = new Map()
    this.#newerSize = 0
  }

  delete(key: string): void {
    this.#older.delete(key)
    const value = this.#newer.get(key)
    if (!value) return
    this.#newerSize -= this.#sizeOf(value)
    this.#newer.delete(key)
  }

  clear(): void {
    this.#newer.clear()
    this.#older.clear()
    this.#newerSize = 0
  }
}
