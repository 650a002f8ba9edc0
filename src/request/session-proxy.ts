import { warnOnce } from '../warn-once.js'
import { ProxyTarget } from './proxy-target.js'
import type { SessionCalls } from './session-calls.js'
import type { Session, SessionMembers } from './session-members.js'

/** Makes the object that is `ctx.session`. */
export function createSessionProxy(calls: SessionCalls): Session {
  return new Proxy(new ProxyTarget(calls), handler) as unknown as Session
}

// A mapped type over the interface: the compiler keeps the list complete, so that no member is taken for data.
const memberNames: ReadonlySet<string> = new Set(
  Object.keys({
    get: 0, set: 0, has: 0, pop: 0, take: 0, setDefault: 0, update: 0, clear: 0, change: 0, increment: 0, permanent: 0, lifetime: 0, modified: 0,
    polling: 0, accessed: 0, isNew: 0, sid: 0, recordId: 0, owner: 0, createdAt: 0, expiresAt: 0, loginAs: 0, endOthers: 0, regenerate: 0, destroy: 0, save: 0,
    reload: 0, toJSON: 0
  } satisfies { [Name in keyof SessionMembers | 'toJSON']: 0 })
)
const writableMembers: ReadonlySet<string> = new Set<keyof SessionMembers>(['permanent', 'lifetime', 'modified', 'polling'])

/** Inherited properties that read as `undefined`: a naive deep merge of a request's body must not reach `Object.prototype`. */
const hiddenNames: ReadonlySet<string> = new Set(['__proto__', 'constructor'])

/** Advice for members of koa-session and express-session. Reading one warns, unless there is data of its name. */
const foreignMembers: ReadonlyMap<string, string> = new Map([
  ['maxAge', 'use ctx.session.lifetime, in milliseconds, and ctx.session.permanent'],
  ['populated', 'use Object.keys(ctx.session).length > 0'],
  ['length', 'use Object.keys(ctx.session).length'],
  ['externalKey', 'use ctx.session.recordId, or ctx.session.sid for the secret itself'],
  ['cookie', 'use ctx.session.lifetime and ctx.session.permanent; the attributes are options of session()'],
  ['manuallyCommit', 'use ctx.session.save(); without it, the end of the request saves'],
  ['touch', 'use ctx.session.modified = true to save in any case']
])

const handler: ProxyHandler<ProxyTarget> = {
  get(target, key, session) {
    if (typeof key === 'symbol') return Reflect.get(Object.prototype, key, session) as unknown
    if (memberNames.has(key)) {
      const member = Reflect.get(target, key, target) as unknown
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    }
    const reading = target.beginRead()
    if (reading.has(key)) return reading.get(key)
    if (foreignMembers.has(key)) warnOnce(`ctx.session.${key} is a member of another session library and is undefined here: ${foreignMembers.get(key)}`)
    return hiddenNames.has(key) ? undefined : (Reflect.get(Object.prototype, key, session) as unknown)
  },
  set(target, key, value) {
    if (typeof key === 'string' && writableMembers.has(key)) return Reflect.set(target, key, value, target)
    target.beginWrite().set(dataKey(key), value)
    return true
  },
  has(target, key) {
    return typeof key === 'string' && target.beginRead().has(key)
  },
  deleteProperty(target, key) {
    target.beginWrite().delete(dataKey(key))
    return true
  },
  defineProperty(target, key, property) {
    if (!('value' in property)) throw new TypeError('ctx.session: an accessor cannot be stored: set a value')
    target.beginWrite().set(dataKey(key), property.value)
    return true
  },
  ownKeys(target) {
    return target.beginRead().keys()
  },
  getOwnPropertyDescriptor(target, key) {
    if (typeof key === 'symbol' || !target.beginRead().has(key)) return undefined
    // A key with the name of a member is not enumerable, because a spread would read the member instead.
    return { value: target.beginRead().get(key), writable: true, configurable: true, enumerable: !memberNames.has(key) }
  },
  getPrototypeOf: () => Object.prototype,
  setPrototypeOf: () => false,
  preventExtensions: () => false
}

/** Checks a key that is set as a property. @throws TypeError for a symbol and for the name of a member. */
function dataKey(key: string | symbol): string {
  if (typeof key === 'symbol') throw new TypeError('ctx.session: a symbol cannot be a key: use a string')
  if (key === 'maxAge') throw new TypeError('ctx.session.maxAge: use ctx.session.lifetime, in milliseconds; for data of that name, use ctx.session.set(\'maxAge\', value)')
  if (memberNames.has(key)) {
    throw new TypeError(`ctx.session.${key} is a member of the session: to set data of that name, use ctx.session.set('${key}', value)`)
  }
  return key
}
