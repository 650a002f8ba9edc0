import makeKnex from 'knex'
import { openSql, sqlStore } from '../../src/stores/sql/index.js'

// `sqlite-worker.ts <file> <id> <count>`: counts so many times in a session of a database file and reports each time that was acknowledged.
// With `unclosed` as the next argument, it reads once and closes the database, but not the store.

const [, , file = '', id = '', times = '', mode] = process.argv

if (mode === 'unclosed') {
  const knex = makeKnex({ client: 'better-sqlite3', connection: { filename: file }, useNullAsDefault: true })
  await sqlStore({ knex, timeout: 60_000 }).read(id)
  await knex.destroy()
  process.send?.('read')
} else {
  const store = openSql(new URL(`sqlite:${file}`), { timeout: 60_000 })
  for (let at = 0; at < Number(times); at++) {
    await store.update(id, (current) => ({ ...current, data: { count: Number(current.data['count']) + 1 } }))
    process.send?.(at)
  }
  await store.close?.()
  process.disconnect?.()
}
