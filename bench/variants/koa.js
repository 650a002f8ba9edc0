import Koa from 'koa'
import { createHmac, randomBytes } from 'node:crypto'
import koaSession from 'koa-session'
import {
  jsonFileStore, jsonMemcachedStore, jsonMongoStore, jsonRedisStore, jsonTableStore, mapStore, textInFiles, textInMemory, textInRedis
} from '../stores.js'
import { answerWith, answerWithout, changes, secret } from '../work.js'

/** Koa alone. */
export function bareKoa() {
  const app = new Koa()
  app.use((ctx) => {
    ctx.body = answerWithout(ctx.path)
  })
  return listen(app)
}

/** koa-session 7 with its defaults. */
export function koaSessionOn(kind) {
  return async ({ dir, connect }) => {
    const app = appWithKeys()
    const inTable = async () => jsonTableStore(await connect())
    const stores = {
      memory: mapStore,
      file: () => jsonFileStore(dir),
      redis: async () => jsonRedisStore(await connect()),
      memcached: async () => jsonMemcachedStore(await connect()),
      mongo: async () => jsonMongoStore(await connect()),
      postgres: inTable,
      mariadb: inTable,
      sqlite: inTable,
      cookie: () => undefined
    }
    const store = await stores[kind]()
    app.use(koaSession(store ? { store } : {}, app))
    app.use(handle)
    return listen(app)
  }
}

/** koa-keepsake with its defaults, from the built package in `dist`. */
export function koaKeepsakeOn(kind) {
  return async (settings) => {
    const app = appWithKeys()
    app.use(await keepsake(kind, settings))
    app.use(handle)
    return listen(app)
  }
}

/** The same with logins: each client logs in as an owner, who has several sessions. */
export function koaKeepsakeOwnersOn(kind) {
  return async (settings) => {
    const app = appWithKeys()
    const sessions = await keepsake(kind, settings)
    app.use(sessions)
    app.use(async (ctx) => {
      const [, action, owner] = ctx.path.split('/')
      if (action === 'regenerate') await ctx.session.regenerate()
      else if (action === 'login') await ctx.session.loginAs(owner)
      else if (action === 'devices') return listDevices(ctx, sessions)
      handle(ctx)
    })
    return listen(app)
  }
}

async function listDevices(ctx, sessions) {
  const ids = []
  for await (const { id } of sessions.ownedBy(ctx.session.owner)) ids.push(id)
  ctx.body = String(ids.length)
}

async function keepsake(kind, { dir, connect, dist, options, storeOptions }) {
  const { session, memoryStore, fileStore, redisStore, memcachedStore, mongoStore, sqlStore, createTable, cookieStore } = await import(`${dist}/index.js`)
  const inTable = async () => {
    const knex = await connect()
    await createTable({ knex })
    return sqlStore({ knex })
  }
  const stores = {
    memory: () => memoryStore(storeOptions),
    file: () => fileStore({ dir, ...storeOptions }),
    redis: async () => redisStore({ client: await connect() }),
    memcached: async () => memcachedStore({ client: await connect() }),
    mongo: async () => mongoStore({ client: await connect() }),
    postgres: inTable,
    mariadb: inTable,
    sqlite: inTable,
    cookie: () => cookieStore(storeOptions)
  }
  return session({ store: await stores[kind](), ...options })
}

/**
 * The floor: the least code that does the same input and output. One signed cookie, its verification kept in a Map; one
 * read; one write when the handler says so. No tracking of changes, no merging, no expiry, no exclusion.
 */
export function floorOn(kind) {
  return async ({ dir, connect }) => {
    const stores = { memory: textInMemory, file: () => textInFiles(dir), redis: async () => textInRedis(await connect()) }
    const store = await stores[kind]()
    const verified = new Map()

    function verify(value) {
      let sid = verified.get(value)
      if (sid === undefined) {
        const dot = value.indexOf('.')
        sid = value.slice(0, dot)
        if (sign(sid) !== value.slice(dot + 1)) return undefined
        verified.set(value, sid)
      }
      return sid
    }

    const app = appWithKeys()
    app.use(async (ctx, next) => {
      const header = ctx.req.headers.cookie
      const at = header === undefined ? -1 : header.indexOf('session=')
      const sid = at === -1 ? undefined : verify(header.slice(at + 8))
      const text = sid === undefined ? undefined : await store.read(sid)
      ctx.session = text === undefined ? {} : JSON.parse(text)
      await next()
      if (!changes(ctx.path)) return
      if (text !== undefined) {
        await store.write(sid, JSON.stringify(ctx.session))
        return
      }
      const made = randomBytes(32).toString('base64url')
      await store.create(made, JSON.stringify(ctx.session))
      ctx.set('Set-Cookie', `session=${made}.${sign(made)}; path=/; httponly; samesite=lax`)
    })
    app.use(handle)
    return listen(app)
  }
}

function sign(sid) {
  return createHmac('sha256', secret).update(sid).digest('base64url')
}

function appWithKeys() {
  const app = new Koa()
  app.keys = [secret]
  return app
}

function handle(ctx) {
  ctx.body = answerWith(ctx.path, () => ctx.session)
}

function listen(app) {
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve({ port: server.address().port, handle: app.callback() }))
  })
}
