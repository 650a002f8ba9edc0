import { AsyncLocalStorage } from 'node:async_hooks'
import fs, { type Dir } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'

/** A call of the file system that is about to be made. */
export interface Call {
  readonly name: string
  readonly args: readonly unknown[]
  /** The first path that the call names. `undefined`: it names a file by its descriptor. */
  readonly path: string | undefined
}

/** What happens to a call instead: it fails before or after it was carried out, or a write takes only so many bytes. */
export type Fault = { readonly code: string; readonly isCarriedOut?: boolean } | { readonly bytes: number }

/** Decides about each call. `undefined` lets it through. */
export type Plan = (call: Call) => Fault | undefined

const plans = new AsyncLocalStorage<Plan>()

/** Runs a function under a plan, with all that follows from it: also through timers, promises and the libraries that it uses. */
export function under<T>(plan: Plan, run: () => T): T {
  return plans.run(plan, run)
}

/** The calls that take a callback. proper-lockfile copies these functions when it is first imported. */
const withCallback = [
  'open', 'read', 'write', 'close', 'futimes', 'fchmod', 'fstat', 'fsync', 'rename', 'unlink', 'link', 'lstat', 'stat', 'rmdir', 'mkdir', 'utimes', 'realpath'
] as const
const withPromise = ['stat', 'mkdir', 'chmod'] as const
const ofHandle = ['stat', 'utimes', 'sync', 'close'] as const

type Callback = (error: NodeJS.ErrnoException | null, ...results: unknown[]) => void
type Plain = (...args: unknown[]) => void
type Asks = (...args: unknown[]) => Promise<unknown>

// Before the first `import('proper-lockfile')`.
install()

function install(): void {
  const calls = fs as unknown as Record<string, Plain>
  for (const name of withCallback) {
    const original = calls[name]!
    calls[name] = (...args) => {
      const fault = faultOf(name, args.slice(0, -1))
      if (!fault) return original(...args)
      if ('bytes' in fault) {
        const [fd, data, from, , position, done] = args as [number, Buffer, number, number, number | null, Callback]
        if (fault.bytes === 0) return process.nextTick(done, null, 0)
        return original(fd, data, from, fault.bytes, position, done)
      }
      const error = systemError(fault.code, name)
      const fail = (): void => (args.at(-1) as Callback)(error)
      // A descriptor is closed even if closing it fails.
      if (fault.isCarriedOut || name === 'close') original(...args.slice(0, -1), fail)
      else process.nextTick(fail)
    }
  }
  const promises = fs.promises as unknown as Record<string, Asks>
  for (const name of withPromise) promises[name] = asking(name, promises[name]!)
  const { open, opendir } = fs.promises
  Object.assign(fs.promises, {
    open: asking('open', async (...args) => gated(await open(...(args as Parameters<typeof open>)))),
    opendir: asking('opendir', async (...args) => entriesOf(await opendir(...(args as Parameters<typeof opendir>))))
  })
}

function asking(name: string, original: Asks): Asks {
  return async (...args) => {
    const fault = faultOf(name, args)
    if (!fault || 'bytes' in fault) return original(...args)
    if (fault.isCarriedOut || name === 'close') await original(...args)
    throw systemError(fault.code, name)
  }
}

function gated(handle: FileHandle): Partial<Record<string, Asks>> {
  const methods = handle as unknown as Record<string, Asks>
  return Object.fromEntries(ofHandle.map((name) => [name, asking(name, (...args) => methods[name]!.apply(handle, args))]))
}

/** Each step of a listing is a call, too. */
async function* entriesOf(dir: Dir): AsyncGenerator {
  for await (const entry of dir) {
    const fault = faultOf('readdir', [])
    if (fault && 'code' in fault) throw systemError(fault.code, 'readdir')
    yield entry
  }
}

function faultOf(name: string, args: readonly unknown[]): Fault | undefined {
  const path = typeof args[0] === 'string' ? args[0] : undefined
  return plans.getStore()?.({ name, args, path })
}

function systemError(code: string, syscall: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: injected, ${syscall}`), { code, syscall, errno: -1 })
}
