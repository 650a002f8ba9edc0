import type { Backend, Found, RecordWithToken, StoreScope, SwapResult, Written } from '../../store/index.js'
import { Claims } from './session/claims.js'
import { LinksOrLocks, type FileContext } from './session/compare-and-swap.js'
import { listPages, recordIds } from './directory.js'
import { Eviction } from './cleanup/eviction.js'
import { FileNames } from './file-names.js'
import { timesOfRecord } from './file-times.js'
import type { WriteOptions } from './fs-calls.js'
import { Locks } from './session/lock-files.js'
import { OwnerIndex } from './session/owner-index.js'
import { Directory } from './directory.js'
import { Schedule, type ScheduleOptions } from './cleanup/schedule.js'
import { SessionFiles } from './session/session-files.js'
import { Sweep } from './cleanup/sweep.js'

export interface FileBackendOptions extends ScheduleOptions, WriteOptions {
  readonly dir: string
  readonly locking: 'auto' | 'lockfile'
}

/** The operations on the records of one prefix in a directory. */
export class FileBackend implements Backend {
  readonly sendsOnce = true
  readonly #names: FileNames
  readonly #directory: Directory
  readonly #owners: OwnerIndex
  readonly #files: SessionFiles
  readonly #eviction: Eviction
  readonly #sweep: Sweep
  readonly #schedule: Schedule
  readonly #hasThreshold: boolean
  readonly #closing: AbortSignal

  constructor(options: FileBackendOptions, { prefix, now, largest }: StoreScope, closing: AbortSignal) {
    const { dir, threshold, locking } = options
    this.#names = new FileNames(dir, prefix)
    const context: FileContext = { names: this.#names, writeOptions: options, largest }
    this.#directory = new Directory(dir)
    const locks = new Locks(context)
    const compareAndSwap = locking === 'lockfile' ? locks : new LinksOrLocks(this.#names, new Claims(context), locks)
    this.#owners = new OwnerIndex(this.#names, options)
    this.#files = new SessionFiles(context, this.#directory, compareAndSwap, this.#owners)
    this.#eviction = new Eviction(this.#names, this.#files, now, closing)
    this.#sweep = new Sweep(context, this.#files, this.#owners, now, closing)
    this.#schedule = new Schedule(this.#names, this.#sweep, this.#eviction, options, closing)
    this.#hasThreshold = threshold > 0
    this.#closing = closing
  }

  async get(id: string): Promise<Found | undefined> {
    if (!this.#isReady()) await this.#directory.check()
    const text = await this.#files.read(id)
    return text === undefined ? undefined : { text }
  }

  async insert(id: string, next: Written): Promise<boolean> {
    if (!this.#isReady()) await this.#directory.check()
    const times = timesOfRecord(next.record)
    if (!(await this.#files.create(next, times))) return false
    if (this.#hasThreshold) this.#eviction.remember(id, times)
    this.#schedule.noteCreation()
    return true
  }

  async replace(id: string, { record }: RecordWithToken, next: Written): Promise<SwapResult> {
    if (!this.#isReady()) await this.#directory.check()
    const times = timesOfRecord(next.record)
    if (!(await this.#files.replace(record, next, times))) return 'changed'
    this.#eviction.update(id, times)
    return 'done'
  }

  async remove(id: string, { record }: RecordWithToken): Promise<SwapResult> {
    if (!this.#isReady()) await this.#directory.check()
    if (!(await this.#files.remove(id, timesOfRecord(record), record.owner))) return 'changed'
    this.#eviction.forget(id)
    return 'done'
  }

  list(): AsyncGenerator<Found & { readonly id: string }> {
    return this.#found(this.#ids())
  }

  ownedBy(owner: string): AsyncGenerator<Found & { readonly id: string }> {
    return this.#found(this.#owners.idsOf(owner))
  }

  async prune(): Promise<number> {
    await this.#directory.check()
    this.#eviction.forgetAll()
    return this.#sweep.run()
  }

  async corrupt(id: string): Promise<void> {
    await this.#files.moveAside(id)
  }

  close(): Promise<void> {
    return this.#schedule.stop()
  }

  /** Starts the sweeps, and reports whether the directory has been checked. */
  #isReady(): boolean {
    this.#schedule.start()
    return this.#directory.isChecked
  }

  async *#ids(): AsyncGenerator<string> {
    for await (const page of listPages(this.#names, () => this.#closing.aborted)) yield* recordIds(page)
  }

  async *#found(ids: AsyncIterable<string>): AsyncGenerator<Found & { readonly id: string }> {
    await this.#directory.check()
    for await (const id of ids) {
      if (this.#closing.aborted) return
      const text = await this.#files.read(id)
      if (text !== undefined) yield { id, text }
    }
  }
}
