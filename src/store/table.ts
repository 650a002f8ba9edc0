/**
 * A table of few entries that come and go all the time, by id.
 *
 * It is an object, because a `Map` or `Set` of that kind burdens the garbage collector: each time it makes room, its old table refers
 * to the new one. Once one of them is in the old generation, all that follow live until the next full collection, with everything
 * that they held. Measured with Redis: three times the cost of each collection, and full collections all the time.
 */
export class Table<Entry> {
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
