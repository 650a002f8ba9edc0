/**
 * What is under way, by id: few entries that come and go all the time.
 *
 * An object, because a `Map` or `Set` of that kind burdens the garbage collector: its old table refers to the new one each
 * time it makes room, so once one of them has been promoted, all that follow live until the next full collection, with
 * what they held. Measured with Redis: three times the cost of each collection, and full ones all the time.
 */
export class UnderWay<Entry> {
  readonly #entries: { [id: string]: Entry } = Object.create(null) as { [id: string]: Entry }

  get(id: string): Entry | undefined {
    return this.#entries[id]
  }

  set(id: string, entry: Entry): void {
    this.#entries[id] = entry
  }

  delete(id: string): void {
    delete this.#entries[id]
  }
}
