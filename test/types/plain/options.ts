import Keygrip from 'keygrip'
import type { Context } from 'koa'
import { cookieStore, fileStore, memoryStore, session, type Carrier, type SessionOptions, type SessionStore } from 'koa-keepsake'

// What is right compiles,

const store: SessionStore = memoryStore()
session()
session({})
session({ store, keys: ['secret'], signed: true, name: 's', prefix: 'p:' })
session({ store: fileStore({ dir: 'x' }) })
session({ store: cookieStore(), permanent: true, lifetime: 1, absoluteLifetime: 2, refreshEachRequest: false, touchAfter: 0 })
session({ keys: new Keygrip(['a'], 'sha256') })
session({ keys: Object.freeze(['a', Buffer.from('b')]) })
session({ cookie: { path: '/', domain: 'a.test', httpOnly: true, secure: 'auto', sameSite: 'lax', partitioned: false, priority: 'high' } })
session({ cookie: { sameSite: false, secure: false } })
session({ maxBytes: 1, saveOnError: true, onStoreError: 'anonymous', storeTimeout: 1, skip: (ctx) => ctx.path === '/health', as: 'visit', now: () => 0 })
session({ store: undefined, keys: undefined, cookie: undefined, skip: undefined, prefix: undefined })
const options: SessionOptions = { lifetime: 1 }
session(Object.freeze(options))
session({ carrier: { read: (ctx) => ctx.get('X-Session'), write: (ctx, token) => ctx.set('X-Session', token ?? ''), vary: 'X-Session' } })
const carrier: Carrier = {
  read: ({ req }) => req.headers.authorization?.replace('Bearer ', ''),
  write(ctx: Context, token) {
    if (token !== undefined) ctx.state.token = token
  }
}
session({ carrier })
// In a request, read() gets the context.
session({ carrier: { read: (ctx: Context) => ctx.cookies.get('other'), write: () => {} } })

// and what is wrong does not.

// @ts-expect-error -- unknown option
session({ maxAge: 1 })
// @ts-expect-error -- a store, not its name
session({ store: 'file' })
// @ts-expect-error -- a store has four methods
session({ store: { read: async () => undefined } })
// @ts-expect-error -- a list
session({ keys: 'secret' })
// @ts-expect-error -- milliseconds
session({ lifetime: '1h' })
// @ts-expect-error -- a boolean
session({ signed: 'yes' })
// @ts-expect-error -- unknown word
session({ onStoreError: 'ignore' })
// @ts-expect-error -- unknown word
session({ cookie: { sameSite: 'Lax' } })
// @ts-expect-error -- unknown word
session({ cookie: { secure: 'always' } })
// @ts-expect-error -- unknown attribute
session({ cookie: { maxAge: 1 } })
// @ts-expect-error -- answers a boolean
session({ skip: 'all' })
// @ts-expect-error -- answers milliseconds
session({ now: () => new Date() })
// @ts-expect-error -- not null
session({ store: null })
// @ts-expect-error -- two functions
session({ carrier: { read: () => '' } })
// @ts-expect-error -- answers a token, not a promise
session({ carrier: { read: async () => '', write: () => {} } })
