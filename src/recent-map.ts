/**
 * A map that holds at most `most` entries: the half of them that was used last, and some of those before.
 *
 * In two halves, of which the older is dropped whole when the newer is full. To delete the first of one Map each time would
 * be shorter, but every look for the first walks over all that were deleted before it.
 */
export class RecentMap<Value extends object> {
  readonly #half: number
  #newer = new Map<string, Value>()
  #older = new Map<string, Value>()

  constructor(most: number) {
    this.#half = most / 2
  }

  get size(): number {
    return this.#newer.size + this.#older.size
  }

  /** Whether there is one, which is no use of it. */
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
