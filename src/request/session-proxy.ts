import { inspect } from 'node:util'
import { assertOption, isDataObject } from './check.js'
import type { Draft } from './draft.js'
import type { Session, SessionMembers } from './members.js'
import { isLifetime } from './options.js'

/** What stands behind a session: one request's dealings with the store. */
export interface SessionBacking {
  readonly draft: Draft
  accessed: boolean
  modified: boolean
  permanent: boolean
  lifetime: number
  readonly isNew: boolean
  readonly sid: string | undefined
  readonly createdAt: number
  readonly expiresAt: number
  /** Throws when the session is read-only. */
  assertWritable(): void
  clear(): void
  regenerate(): Promise<void>
  destroy(): Promise<void>
  save(): Promise<void>
}

/** The object behind `ctx.session`. */
export function createSession(backing: SessionBacking): Session {
  return new Proxy(new SessionTarget(backing), handler) as unknown as Session
}

class SessionTarget implements SessionMembers {
  readonly #backing: SessionBacking

  constructor(backing: SessionBacking) {
    this.#backing = backing
  }

  /** The draft, to be read. */
  get reading(): Draft {
    this.#backing.accessed = true
    return this.#backing.draft
  }

  /** The draft, to be written: as in Flask, writing counts as access. */
  get writing(): Draft {
    this.#backing.assertWritable()
    return this.reading
  }

  get(key: string, fallback?: unknown): never {
    const { reading } = this
    return (reading.has(key) ? reading.get(key) : fallback) as never
  }

  set(key: string, value: unknown): void {
    assertKey(key)
    this.writing.set(key, value)
  }

  has(key: string): boolean {
    return this.reading.has(key)
  }

  pop(key: string, fallback?: unknown): never {
    const value: unknown = this.get(key, fallback)
    if (this.reading.has(key)) this.writing.delete(key)
    return value as never
  }

  setDefault(key: string, value: unknown): never {
    assertKey(key)
    if (!this.reading.has(key)) this.writing.set(key, value)
    return this.reading.get(key) as never
  }

  update(object: object): void {
    if (!isDataObject(object)) throw new TypeError('ctx.session: update() expects an object with the data')
    for (const [key, value] of Object.entries(object)) this.writing.set(key, value)
  }

  clear(): void {
    this.#backing.assertWritable()
    this.#backing.accessed = true
    this.#backing.clear()
  }

  change(key: string, fn: (value: never) => unknown): never {
    assertKey(key)
    return this.writing.change(key, fn) as never
  }

  get permanent(): boolean {
    return this.#backing.permanent
  }

  set permanent(value: boolean) {
    assertOption('ctx.session', 'permanent', value, typeof value === 'boolean', 'true or false')
    this.#backing.assertWritable()
    this.#backing.permanent = value
  }

  get lifetime(): number {
    return this.#backing.lifetime
  }

  set lifetime(value: number) {
    assertOption('ctx.session', 'lifetime', value, isLifetime(value), 'a number of milliseconds above 0, at most a thousand years')
    this.#backing.assertWritable()
    this.#backing.lifetime = value
  }

  get modified(): boolean {
    return this.#backing.modified
  }

  set modified(value: boolean) {
    assertOption('ctx.session', 'modified', value, typeof value === 'boolean', 'true or false')
    this.#backing.assertWritable()
    this.#backing.modified = value
  }

  get accessed(): boolean {
    return this.#backing.accessed
  }

  get isNew(): boolean {
    this.#backing.accessed = true
    return this.#backing.isNew
  }

  get sid(): string | undefined {
    this.#backing.accessed = true
    return this.#backing.sid
  }

  get createdAt(): Date {
    this.#backing.accessed = true
    return new Date(this.#backing.createdAt)
  }

  get expiresAt(): Date {
    this.#backing.accessed = true
    return new Date(this.#backing.expiresAt)
  }

  regenerate(): Promise<void> {
    return this.#backing.regenerate()
  }

  destroy(): Promise<void> {
    return this.#backing.destroy()
  }

  save(): Promise<void> {
    return this.#backing.save()
  }

  /** Data only, also under keys that are named like members. */
  toJSON(): object {
    const { reading } = this
    const data = Object.create(null) as Record<string, unknown>
    for (const key of reading.keys()) data[key] = reading.get(key)
    return data
  }

  // Node inspects the target of a proxy, not the proxy.
  [inspect.custom](): object {
    return { ...this.toJSON() }
  }
}

// Made by the compiler to name every member, so that none can be taken for data.
const memberNames: ReadonlySet<string> = new Set(
  Object.keys({
    get: 0, set: 0, has: 0, pop: 0, setDefault: 0, update: 0, clear: 0, change: 0, permanent: 0, lifetime: 0, modified: 0,
    accessed: 0, isNew: 0, sid: 0, createdAt: 0, expiresAt: 0, regenerate: 0, destroy: 0, save: 0, toJSON: 0
  } satisfies { [Name in keyof SessionMembers | 'toJSON']: 0 })
)
const writableMembers: ReadonlySet<string> = new Set<keyof SessionMembers>(['permanent', 'lifetime', 'modified'])

const handler: ProxyHandler<SessionTarget> = {
  get(target, key, session) {
    if (typeof key === 'symbol') return Reflect.get(Object.prototype, key, session) as unknown
    if (memberNames.has(key)) {
      const member = Reflect.get(target, key, target) as unknown
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    }
    const { reading } = target
    return reading.has(key) ? reading.get(key) : (Reflect.get(Object.prototype, key, session) as unknown)
  },
  set(target, key, value) {
    if (typeof key === 'string' && writableMembers.has(key)) return Reflect.set(target, key, value, target)
    target.writing.set(dataKey(key), value)
    return true
  },
  has(target, key) {
    return typeof key === 'string' && target.reading.has(key)
  },
  deleteProperty(target, key) {
    target.writing.delete(dataKey(key))
    return true
  },
  defineProperty(target, key, property) {
    if (!('value' in property)) throw new TypeError('ctx.session: an accessor cannot be stored; set a value')
    target.writing.set(dataKey(key), property.value)
    return true
  },
  ownKeys(target) {
    return target.reading.keys()
  },
  getOwnPropertyDescriptor(target, key) {
    if (typeof key === 'symbol' || !target.reading.has(key)) return undefined
    // A key that is named like a member is not enumerable: a spread would read the member in its place.
    return { value: target.reading.get(key), writable: true, configurable: true, enumerable: !memberNames.has(key) }
  },
  getPrototypeOf: () => Object.prototype,
  setPrototypeOf: () => false,
  preventExtensions: () => false
}

/** From JavaScript, a number would be another key than its text. */
function assertKey(key: unknown): void {
  if (typeof key !== 'string') throw new TypeError(`ctx.session: a key must be a string, got ${key === null ? 'null' : typeof key}`)
}

/** The key as data. @throws TypeError for a symbol and for the name of a member. */
function dataKey(key: string | symbol): string {
  if (typeof key === 'symbol') throw new TypeError('ctx.session: a symbol cannot be a key; use a string')
  if (memberNames.has(key)) {
    throw new TypeError(`ctx.session.${key} is a member of the session; for data of that name use ctx.session.set('${key}', value)`)
  }
  return key
}
