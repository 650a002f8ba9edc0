import { hash } from 'node:crypto'
import { graceAfterDeadline, type Backend, type Found, type RecordWithToken, type StoreScope, type SwapResult, type Written } from '../../store/index.js'
import type { Database } from './database.js'
import { isDuplicate } from './failures.js'
import type { Binding } from './knex.js'
import { pageSize, type Statements } from './statements.js'

/** The length of an id in hexadecimal digits. */
const idLength = 64
/** A character that sorts after every hexadecimal digit. */
const afterDigits = 'g'

/** The longest prefix in its stored form, in characters: the column of ids has 255. */
const longestPrefix = 255 - idLength

/** The operations on the records of one prefix in a table. */
export class SqlBackend implements Backend {
  // Knex and its drivers never send a statement a second time.
  readonly sendsOnce = true
  readonly #database: Database
  readonly #statements: Statements
  readonly #prefix: string
  readonly #now: () => number
  readonly #closing: AbortSignal

  constructor(database: Database, statements: Statements, { prefix, now }: StoreScope, closing: AbortSignal) {
    this.#database = database
    this.#statements = statements
    this.#prefix = asciiOf(prefix)
    this.#now = now
    this.#closing = closing
    if (this.#prefix.length > longestPrefix) {
      throw new TypeError(`prefix must have at most ${longestPrefix} characters in a database (characters other than letters, digits and :._- count as three or more): use a shorter one`)
    }
  }

  async get(id: string): Promise<Found | undefined> {
    const [row] = this.#database.dialect.rows(await this.#database.run(this.#statements.get, [this.#prefix + id]))
    return row && { text: row.record }
  }

  async insert(id: string, next: Written): Promise<boolean> {
    try {
      await this.#database.run(this.#statements.insert, [this.#prefix + id, ...this.#valuesOf(next)])
      return true
    } catch (error) {
      if (isDuplicate(error)) return false
      throw error
    }
  }

  async replace(id: string, from: RecordWithToken, next: Written): Promise<SwapResult> {
    return this.#swap(this.#statements.replace, [...this.#valuesOf(next), ...this.#seen(id, from)])
  }

  async remove(id: string, from: RecordWithToken): Promise<SwapResult> {
    return this.#swap(this.#statements.remove, this.#seen(id, from))
  }

  list(): AsyncGenerator<Found & { readonly id: string }> {
    return this.#pages(this.#statements.list, [])
  }

  ownedBy(owner: string): AsyncGenerator<Found & { readonly id: string }> {
    return this.#pages(this.#statements.listOwned, [ownerHash(owner)])
  }

  async prune(): Promise<number> {
    let removed = 0
    while (!this.#closing.aborted) {
      const now = this.#now()
      const bindings = [now, this.#prefix.length, this.#prefix, this.#prefix.length + idLength]
      const expired = this.#database.dialect.rows(await this.#database.run(this.#statements.listExpired, bindings))
      if (expired.length === 0) break
      // In the order of the ids, so that two processes that prune at once do not deadlock.
      const ids = expired.map(({ id }) => id).sort()
      removed += this.#database.dialect.written(await this.#database.run(this.#statements.removeExpired(ids.length), [now, ...ids]))
      if (ids.length < pageSize) break
    }
    return removed
  }

  async #swap(sql: string, bindings: readonly Binding[]): Promise<SwapResult> {
    return this.#database.dialect.written(await this.#database.run(sql, bindings)) === 1 ? 'done' : 'changed'
  }

  /** Lists rows in pages. Each page begins after the last id of the one before, so that removals in between skip no row. */
  async *#pages(sql: string, bindings: readonly Binding[]): AsyncGenerator<Found & { readonly id: string }> {
    for (let after: string | undefined; ; ) {
      const rows = this.#database.dialect.rows(await this.#database.run(sql, [...bindings, ...this.#range(after)]))
      for (const { id, record } of rows) yield { id: id.slice(this.#prefix.length), text: record }
      if (rows.length < pageSize) return
      after = rows.at(-1)!.id
    }
  }

  /** The parameters that select the ids of this prefix only. Another prefix may begin with this one, but then its ids are longer. */
  #range(after = this.#prefix): Binding[] {
    return [after, this.#prefix + afterDigits, this.#prefix.length + idLength]
  }

  #seen(id: string, { record }: RecordWithToken): Binding[] {
    return [this.#prefix + id, record.rev, record.write]
  }

  #valuesOf({ record, text }: Written): Binding[] {
    const { rev, write, expires, moved, owner } = record
    // The moment from which the row may be removed. The column holds whole numbers.
    const gone = Math.ceil(moved ? expires : expires + graceAfterDeadline)
    return [rev, write, gone, owner === undefined ? null : ownerHash(owner), this.#database.dialect.bind(text)]
  }
}

/** The owner as the column holds it: as a hash, so that it may be any text. */
function ownerHash(owner: string): string {
  return hash('sha256', owner)
}

/** Encodes a prefix in letters, digits and `:._-%`. The column of ids is ASCII, so that every database compares its bytes. */
function asciiOf(prefix: string): string {
  return prefix.replace(/[^A-Za-z0-9:._-]/gu, (character) => Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''))
}
