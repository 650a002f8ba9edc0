// Hand-written stores: what an application would write for koa-session, and what the floor uses.
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** For koa-session: objects in a Map, as its documentation suggests (no copies: the cheapest there is). */
export function mapStore() {
  const sessions = new Map()
  return {
    get: async (key) => sessions.get(key),
    set: async (key, session) => void sessions.set(key, session),
    destroy: async (key) => void sessions.delete(key)
  }
}

/** For koa-session: one JSON file a session, replaced by renaming. */
export function jsonFileStore(dir) {
  return {
    async get(key) {
      try {
        return JSON.parse(await readFile(join(dir, `${key}.json`), 'utf8'))
      } catch (error) {
        if (error.code === 'ENOENT') return undefined
        throw error
      }
    },
    async set(key, session) {
      const temporary = join(dir, `${randomUUID()}.tmp`)
      await writeFile(temporary, JSON.stringify(session), { mode: 0o600, flag: 'wx' })
      await rename(temporary, join(dir, `${key}.json`))
    },
    destroy: (key) => unlink(join(dir, `${key}.json`))
  }
}

/** For koa-session: JSON text in Redis with a time to live. */
export function jsonRedisStore(client) {
  return {
    async get(key) {
      const text = await client.get(`session:${key}`)
      return text === null ? undefined : JSON.parse(text)
    },
    set: (key, session, maxAge) => client.set(`session:${key}`, JSON.stringify(session), { PX: maxAge }),
    destroy: (key) => client.del(`session:${key}`)
  }
}

/** For koa-session: JSON text in memcached with a time to live. */
export function jsonMemcachedStore(client) {
  return {
    async get(key) {
      const found = await client.get(`session:${key}`)
      return found && JSON.parse(found.value)
    },
    set: (key, session, maxAge) => client.set(`session:${key}`, JSON.stringify(session), { lifetime: Math.ceil(maxAge / 1000) }),
    destroy: (key) => client.delete(`session:${key}`)
  }
}

/** For koa-session: JSON text in MongoDB, with an index that removes it in time. */
export async function jsonMongoStore(client) {
  const sessions = client.db('test').collection('koa_sessions')
  await sessions.createIndex({ expires: 1 }, { expireAfterSeconds: 0 })
  return {
    async get(key) {
      const found = await sessions.findOne({ _id: key })
      return found ? JSON.parse(found.session) : undefined
    },
    set: (key, session, maxAge) => {
      const found = { session: JSON.stringify(session), expires: new Date(Date.now() + maxAge) }
      return sessions.replaceOne({ _id: key }, found, { upsert: true })
    },
    destroy: (key) => sessions.deleteOne({ _id: key })
  }
}

/** For koa-session: JSON text in a table, through Knex. */
export async function jsonTableStore(knex) {
  await knex.schema.createTable('koa_sessions', (table) => {
    table.string('id').primary()
    table.text('session').notNullable()
    table.bigInteger('expires').notNullable().index()
  })
  const row = (key) => knex('koa_sessions').where('id', key)
  return {
    async get(key) {
      const found = await row(key).where('expires', '>', Date.now()).first('session')
      return found && JSON.parse(found.session)
    },
    set: (key, session, maxAge) => {
      const found = { id: key, session: JSON.stringify(session), expires: Date.now() + maxAge }
      return knex('koa_sessions').insert(found).onConflict('id').merge()
    },
    destroy: (key) => row(key).delete()
  }
}

/** For the floor: text in a Map. */
export function textInMemory() {
  const texts = new Map()
  return {
    read: (id) => Promise.resolve(texts.get(id)),
    create: async (id, text) => void texts.set(id, text),
    write: async (id, text) => void texts.set(id, text)
  }
}

/** For the floor: the fewest system calls, with callbacks. A new file is written straight to its name. */
export function textInFiles(dir) {
  let temporaries = 0
  const path = (id) => `${dir}/${id}.json`
  return {
    read: (id) =>
      new Promise((resolve, reject) => {
        fs.readFile(path(id), 'utf8', (error, text) => {
          if (error && error.code !== 'ENOENT') reject(error)
          else resolve(text)
        })
      }),
    create: (id, text) => writeNew(path(id), text),
    async write(id, text) {
      const temporary = `${dir}/${process.pid}.${++temporaries}.tmp`
      await writeNew(temporary, text)
      await new Promise((resolve, reject) => {
        fs.rename(temporary, path(id), (error) => (error ? reject(error) : resolve()))
      })
    }
  }
}

function writeNew(path, text) {
  return new Promise((resolve, reject) => {
    fs.writeFile(path, text, { flag: 'wx', mode: 0o600 }, (error) => (error ? reject(error) : resolve()))
  })
}

/** For the floor: `GET` and `SET`, with a time to live. */
export function textInRedis(client) {
  const lifetime = { PX: 24 * 3600_000 }
  return {
    read: (id) => client.get(`session:${id}`),
    create: (id, text) => client.set(`session:${id}`, text, lifetime),
    write: (id, text) => client.set(`session:${id}`, text, lifetime)
  }
}
