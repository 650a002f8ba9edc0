import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createMark, type Json, type SessionRecord } from '../../src/record/index.js'
import { defaultScope, type Recipe, type SessionStore, type StoreScope } from '../../src/store/index.js'
import { fileStore, type FileStoreOptions } from '../../src/stores/file/index.js'

interface Teardown {
  teardown(fn: () => void): void
}

/** The file store as it is: each call answers a promise, and each optional method exists. */
export interface FileStore extends Required<SessionStore> {
  read(id: string): Promise<SessionRecord | undefined>
  create(id: string, record: SessionRecord): Promise<boolean>
  update(id: string, recipe: Recipe, seen?: SessionRecord): Promise<SessionRecord | null | undefined>
  destroy(id: string): Promise<SessionRecord | undefined>
  scope(scope: StoreScope): FileStore
}

export function openStore(options: FileStoreOptions): FileStore {
  return fileStore(options) as FileStore
}

/** A scope with the usual prefix and a clock of its own. */
export function withClock(now: () => number): StoreScope {
  return { ...defaultScope, now }
}

/** A new directory, which is removed when the test ends. */
export function tempDir(t: Teardown, root = os.tmpdir()): string {
  const dir = fs.mkdtempSync(path.join(root, 'keepsake-'))
  t.teardown(() => fs.rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A record that was never stored, with an hour to live. */
export function newRecord(data: { [key: string]: Json } = {}, lifetime = 3_600_000, fields: Partial<SessionRecord> = {}): SessionRecord {
  const now = Date.now()
  const id = randomBytes(32).toString('hex')
  return { rev: 1, write: createMark(), id, created: now, used: now, expires: now + lifetime, permanent: false, ...fields, data }
}

/** Creates a record in a store and answers it as it is stored. */
export async function create(store: SessionStore, record = newRecord()): Promise<SessionRecord> {
  if (!(await store.create(record.id, record))) throw new Error('the id is taken')
  const stored = await store.read(record.id)
  if (!stored) throw new Error('the record that was created is not there')
  return stored
}

/** A directory in memory, where the system has such: for tests with very many calls of the file system. */
export function tempDirInMemory(t: Teardown): string {
  return tempDir(t, fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir())
}

/** Everything that a listing yields. */
export async function all<T>(listing: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of listing) items.push(item)
  return items
}

/** The path of a record with the usual prefix. */
export function fileOf(dir: string, id: string): string {
  return path.join(dir, `session%3a${id}.json`)
}

/** The files in the directory other than records and the index of owners: temporary files, claims, locks. */
export function leftovers(dir: string): string[] {
  return fs.readdirSync(dir).filter((name) => !/\.json$|^owners$/.test(name))
}

/** A recipe that counts under a key. */
export function counting(key = 'count'): (current: SessionRecord) => SessionRecord {
  return (current) => ({ ...current, data: { ...current.data, [key]: ((current.data[key] as number | undefined) ?? 0) + 1 } })
}

/** Polls until the condition holds, or throws after twenty seconds. `every` is in milliseconds. */
export async function until(holds: () => boolean | Promise<boolean>, { every = 5 } = {}): Promise<void> {
  const end = performance.now() + 20_000
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('the condition did not hold in time')
    await new Promise((resolve) => setTimeout(resolve, every))
  }
}

/** Decides about a call of the file system before it is made: the call fails with the error to which it resolves. */
export type Gate = (name: string, args: readonly unknown[]) => NodeJS.ErrnoException | undefined | Promise<NodeJS.ErrnoException | undefined>

const gates = new AsyncLocalStorage<Gate>()
const gated = ['open', 'read', 'write', 'close', 'futimes', 'fchmod', 'fstat', 'fsync', 'rename', 'unlink', 'link', 'lstat', 'rmdir'] as const
let installed = false

/** Runs a function. All its calls of `node:fs`, and those that follow from it, go through the gate. */
export function through<T>(gate: Gate, run: () => T): T {
  install()
  return gates.run(gate, run)
}

type Callback = (error: NodeJS.ErrnoException | null, ...results: unknown[]) => void
type Plain = (...args: unknown[]) => void

function install(): void {
  if (installed) return
  installed = true
  const calls = fs as unknown as Record<string, Plain>
  for (const name of gated) {
    const original = calls[name]!
    const decided = async (gate: Gate, args: unknown[]): Promise<void> => {
      const error = await gate(name, args.slice(0, -1))
      if (!error) return original(...args)
      const fail = () => (args.at(-1) as Callback)(error)
      // A file that "failed to close" is closed, as on every system.
      if (name === 'close') original(args[0], fail)
      else fail()
    }
    calls[name] = (...args) => {
      const gate = gates.getStore()
      if (gate) void decided(gate, args)
      else original(...args)
    }
  }
}

export function systemError(code: string, syscall: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: injected, ${syscall}`), { code, syscall, errno: -1 })
}
