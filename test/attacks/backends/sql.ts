import { hash } from 'node:crypto'
import type { Knex } from 'knex'
import { createTable, sqlStore } from '../../../src/index.js'
import { engines, mysqlConnection, needsEngine, patience, type Database, type Engine } from '../../support/sql.js'
import type { Backend } from './backend.js'

export const sql: readonly Backend[] = engines.map((engine) => ({
  name: engine.name,
  needs: (test) => needsEngine(test, engine),
  async start(t) {
    const database = await engine.start()
    t.teardown(() => database.stop())
    const knex = await connect(database, engine)
    await createTable({ knex })
    const put = async (prefix: string, id: string, record: unknown, rev = 1, write = 'by hand') => {
      const row = { id: asciiOf(prefix) + id, rev, write, expires: Date.now() + 3_600_000, record }
      await knex('sessions').insert(row).onConflict('id').merge()
    }
    return {
      store: () => sqlStore({ knex, timeout: patience }),
      texts: {
        put(prefix, id, text) {
          const [, rev = '1', write = 'by hand'] = /^\{"rev":(\d+),"write":"([^"]+)"/.exec(text) ?? []
          return put(prefix, id, text, Number(rev), write)
        },
        claim: (prefix, id, owner) => knex('sessions').where({ id: asciiOf(prefix) + id }).update({ owner: hash('sha256', owner) }),
        dump: async () => JSON.stringify(await knex('sessions')),
        odd: engine.name === 'SQLite' ? [['bytes', (prefix, id) => put(prefix, id, Buffer.from([0xff, 0x00, 0x7b]))]] : []
      },
      refuseWrites: () => refuseWrites(knex, engine),
      async breakDown() {
        await knex.schema.renameTable('sessions', 'sessions_away')
        return () => knex.schema.renameTable('sessions_away', 'sessions')
      }
    }
  }
}))

async function connect(database: Database, { name }: Engine): Promise<Knex> {
  const knex = database.connect()
  if (name !== 'MariaDB') return knex
  // The tests' database is a system schema, which has no triggers.
  await knex.raw('create database keepsake')
  return database.connect({ connection: mysqlConnection(database.url.replace(/[^/]*$/, 'keepsake')) })
}

/** Makes the database refuse each row, by a rule of its own. PostgreSQL quotes the whole row in its error. */
async function refuseWrites(knex: Knex, { name }: Engine): Promise<() => Promise<unknown>> {
  if (name === 'PostgreSQL') {
    await knex.raw('alter table sessions add constraint refused check (rev < 0) not valid')
    return async () => knex.raw('alter table sessions drop constraint refused')
  }
  const refuse = name === 'SQLite' ? "begin select raise(abort, 'refused'); end" : "for each row signal sqlstate '45000' set message_text = 'refused'"
  for (const action of ['insert', 'update', 'delete']) await knex.raw(`create trigger refuse_${action} before ${action} on sessions ${refuse}`)
  return async () => {
    for (const action of ['insert', 'update', 'delete']) await knex.raw(`drop trigger refuse_${action}`)
  }
}

function asciiOf(prefix: string): string {
  return prefix.replace(/[^A-Za-z0-9:._-]/gu, (character) => Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''))
}
