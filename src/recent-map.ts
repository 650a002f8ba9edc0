/**
 * A map that holds at most `most` entries. The `most / 2` entries that were used last are always among them.
 *
 * It consists of two maps, and drops the older one whole when the newer one is full. To delete the first entry of one `Map` each time would
 * be shorter, but each search for the first entry walks over all the entries that were deleted before it.
 */
export class RecentMap<Value extends object | string> {
  /** The number of entries at which the newer map is full. */
  readonly #half: number
  #newer = new Map<string, Value>()
  #older = new Map<string, Value>()

  constructor(most: number) {
    this.#half = most / 2
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
    this.#newer.set(key, value)
    if (this.#newer.size < this.#half) return
    this.#older = this.#newer
    this.#newer = new Map()
  }

  delete(key: string): void {
    this.#newer.delete(key)
    this.#older.delete(key)
  }

  clear(): void {
    this.#newer.clear()
    this.#older.clear()
  }
}
