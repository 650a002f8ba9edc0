import { isId, type Backend, type Found, type RecordWithToken, type StoreScope, type SwapResult, type Written } from '../../store/index.js'
import type { MongoCollection } from './client.js'
import { documentOf, filterOf, foundIn, hashOf, type SessionDocument } from './document.js'
import { assertSize, isTaken } from './failures.js'
import type { Indexes } from './indexes.js'

/** A stored text and its id. */
type Listed = Found & { readonly id: string }

/** How many documents one step of a listing reads. */
const pageSize = 100

/** How many documents one step of `prune` removes. */
const pruneSize = 1000

/** Options for answers in JavaScript's own types, even from a client that is set to return BSON's. */
const plainValues = { promoteValues: true, promoteLongs: true, useBigInt64: false, raw: false }

/**
 * The options of every read, which override the client's defaults.
 *
 * Read from the primary, because a secondary may lag behind and show a session that was destroyed. Read its newest state (`local`), because the
 * next write is compared with it: with `majority`, a save after a conflict would read the same old state until the replicas have caught up.
 */
const reading = { readPreference: 'primary', readConcern: { level: 'local' }, ...plainValues }

/**
 * The operations on the records of one prefix.
 *
 * The driver may send a write again when the answer was lost (`retryWrites`). That is safe: it numbers each write, and for a number that it
 * has seen, a replica set returns the first outcome again. A single server cannot do that, so the driver sends nothing again there, and the call
 * fails. `deleteMany` is never sent again.
 */
export class MongoBackend implements Backend {
  readonly sendsOnce = true
  readonly #collection: MongoCollection
  readonly #indexes: Indexes | undefined
  readonly #writing: object
  readonly #scope: StoreScope
  readonly #closing: AbortSignal

  constructor(collection: MongoCollection, indexes: Indexes | undefined, writeConcern: object, scope: StoreScope, closing: AbortSignal) {
    this.#collection = collection
    this.#indexes = indexes
    this.#writing = { writeConcern, ...plainValues }
    this.#scope = scope
    this.#closing = closing
  }

  async get(id: string): Promise<Found | undefined> {
    const document = await this.#collection.findOne({ _id: this.#keyOf(id) }, reading)
    return document ? foundIn(document) : undefined
  }

  async insert(id: string, next: Written): Promise<boolean> {
    assertSize(next.text)
    const [isInserted] = await Promise.all([this.#insertDocument(documentOf(this.#keyOf(id), next)), this.#indexes?.ensure()])
    return isInserted
  }

  /** After a conflict it does not read the newer state: the kit does that after its pause, at the same cost, and gets a still newer one. */
  async replace(id: string, { record }: RecordWithToken, next: Written): Promise<SwapResult> {
    assertSize(next.text)
    const key = this.#keyOf(id)
    const [result] = await Promise.all([
      this.#collection.replaceOne(filterOf(key, record), documentOf(key, next), this.#writing) as Promise<{ matchedCount?: number }>,
      this.#indexes?.ensure()
    ])
    return result.matchedCount === 1 ? 'done' : 'changed'
  }

  async remove(id: string, { record }: RecordWithToken): Promise<SwapResult> {
    const result = (await this.#collection.deleteOne(filterOf(this.#keyOf(id), record), this.#writing)) as { deletedCount?: number }
    return result.deletedCount === 1 ? 'done' : 'changed'
  }

  async *list(): AsyncGenerator<Listed> {
    for await (const page of this.#pages({}, pageSize)) yield* this.#listed(page)
  }

  /** Filters by the owner only, so that MongoDB can choose no other index, and by the prefix afterwards. An owner has few sessions. */
  async *ownedBy(owner: string): AsyncGenerator<Listed> {
    const documents = this.#collection.find({ owner: { $eq: hashOf(owner) } }, { ...reading, batchSize: pageSize })
    for await (const document of documents) yield* this.#listed([document as SessionDocument])
  }

  /**
   * Removes records in small steps, which delay no other writes and end before a client's socket timeout. The removal compares the deadlines
   * again, so that a record whose deadline was moved meanwhile stays.
   */
  async prune(): Promise<number> {
    const expires = { $lte: new Date(this.#scope.now()) }
    let removed = 0
    for await (const page of this.#pages({ expires }, pruneSize, { _id: 1 })) {
      // Another prefix may begin with this one, and may use another clock.
      const keys = page.map(({ _id }) => _id).filter((key) => this.#idOf(key) !== undefined)
      const { deletedCount = 0 } = (await this.#collection.deleteMany({ _id: { $in: keys }, expires }, this.#writing)) as { deletedCount?: number }
      removed += deletedCount
      if (this.#closing.aborted) break
    }
    return removed
  }

  async #insertDocument(document: SessionDocument): Promise<boolean> {
    try {
      await this.#collection.insertOne(document, this.#writing)
      return true
    } catch (error) {
      if (isTaken(error)) return false
      throw error
    }
  }

  /**
   * Lists the documents of the prefix in pages. Each page is a query of its own that begins after the last key, so that a listing survives a
   * failover and may pause for longer than MongoDB keeps a cursor. Keys never change, so a record that is rewritten meanwhile is neither
   * missed nor repeated.
   */
  async *#pages(filter: object, size: number, projection: object = {}): AsyncGenerator<SessionDocument[]> {
    // Ids have hexadecimal digits, which sort before `g`. MongoDB compares the bounds as text, so a prefix is never a pattern.
    const end = `${this.#scope.prefix}g`
    let after = this.#scope.prefix
    for (;;) {
      const options = { ...reading, projection, sort: { _id: 1 }, limit: size, batchSize: size }
      const page: SessionDocument[] = []
      for await (const document of this.#collection.find({ ...filter, _id: { $gt: after, $lt: end } }, options)) page.push(document as SessionDocument)
      if (page.length > 0) yield page
      if (page.length < size) return
      after = page.at(-1)!._id
    }
  }

  *#listed(page: readonly SessionDocument[]): Generator<Listed> {
    for (const document of page) {
      const id = this.#idOf(document._id)
      if (id !== undefined) yield { ...foundIn(document), id }
    }
  }

  #keyOf(id: string): string {
    return this.#scope.prefix + id
  }

  /** The id in a key of this prefix. `undefined`: the key is another prefix's, or any value in a document of another program. */
  #idOf(key: unknown): string | undefined {
    const { prefix } = this.#scope
    if (typeof key !== 'string' || !key.startsWith(prefix)) return undefined
    const id = key.slice(prefix.length)
    return isId(id) ? id : undefined
  }
}
