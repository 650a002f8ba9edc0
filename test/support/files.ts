import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Json, SessionRecord } from '../../src/store.js'

interface Teardown {
  teardown(fn: () => void): void
}

/** A directory of its own, gone when the test ends. */
export function tempDir(t: Teardown): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'keepsake-'))
  t.teardown(() => fs.rmSync(dir, { recursive: true, force: true }))
  return dir
}

export function newRecord(data: { [key: string]: Json } = {}, lifetime = 3_600_000): SessionRecord {
  const now = Date.now()
  return { rev: 1, id: randomBytes(32).toString('hex'), created: now, expires: now + lifetime, permanent: false, data }
}

/** Where the store keeps a record of the usual prefix. */
export function fileOf(dir: string, id: string): string {
  return path.join(dir, `session%3a${id}.json`)
}

/** What is in the directory beside records and owners: temporary files, claims, locks. */
export function leftovers(dir: string): string[] {
  return fs.readdirSync(dir).filter((name) => !/\.(json|owner)$/.test(name))
}

/** A recipe that counts under a key. */
export function counting(key = 'count'): (current: SessionRecord) => SessionRecord {
  return (current) => ({ ...current, data: { ...current.data, [key]: ((current.data[key] as number | undefined) ?? 0) + 1 } })
}

/** Polls until it holds. */
export async function until(holds: () => boolean | Promise<boolean>, within = 20_000): Promise<void> {
  const end = performance.now() + within
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('did not come to hold in time')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Decides over a call of the file system before it is made: what it resolves to is the call's error. */
export type Gate = (name: string, args: readonly unknown[]) => NodeJS.ErrnoException | undefined | Promise<NodeJS.ErrnoException | undefined>

const gates = new AsyncLocalStorage<Gate>()
const gated = ['open', 'read', 'write', 'close', 'futimes', 'fchmod', 'fstat', 'fsync', 'rename', 'unlink', 'link', 'lstat'] as const
let installed = false

/** Runs something whose calls of `node:fs` all go through a gate, as do those that follow from them. */
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
