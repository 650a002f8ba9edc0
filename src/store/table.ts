/**
 * A table, by id, of few entries that are added and deleted all the time.
 *
 * It uses an object, because a `Map` or `Set` used like that burdens V8's garbage collector. Each time a `Map` reallocates its table, the old
 * table refers to the new one. Once one table is in the old generation, all later ones live until the next full collection, with every
 * entry that they held. With Redis, each collection cost three times as much, and full collections ran all the time.
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
