import { clients } from '../../clients.js'

const dialects = {
  postgres: {
    async size(knex) {
      const { rows } = await knex.raw(`select pg_total_relation_size('sessions') as bytes, pg_indexes_size('sessions') as indexes`)
      return { bytes: Number(rows[0].bytes), indexes: Number(rows[0].indexes) }
    },
    async log(knex) {
      const { rows } = await knex.raw(`select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') as bytes`)
      return Number(rows[0].bytes)
    },
    checkpoint: (knex) => knex.raw('checkpoint'),
    vacuum: (knex) => knex.raw('vacuum sessions')
  },
  mariadb: {
    async size(knex) {
      await knex.raw('analyze table sessions')
      const [[row]] = await knex.raw(`select data_length + index_length as bytes, index_length as indexes from information_schema.tables where table_name = 'sessions' and table_schema = database()`)
      return { bytes: Number(row.bytes), indexes: Number(row.indexes) }
    }
  },
  sqlite: {
    async size(knex) {
      await knex.raw('pragma wal_checkpoint(truncate)')
      const [[{ page_count: pages }], [{ page_size: pageSize }]] = [await knex.raw('pragma page_count'), await knex.raw('pragma page_size')]
      return { bytes: pages * pageSize }
    }
  }
}

export function sql(name) {
  const { size, log, checkpoint, vacuum } = dialects[name]
  return async ({ url, proxied, dir, library }) => {
    const [knex, admin] = [await clients[name]({ url: proxied, dir }), await clients[name]({ url, dir })]
    await library.createTable({ knex })
    const counts = {}
    knex.on('query', ({ sql: statement }) => {
      const [verb] = statement.trim().split(/\s/)
      counts[verb] = (counts[verb] ?? 0) + 1
    })
    const { bytes: empty } = await size(admin)
    return {
      store: library.sqlStore({ knex, timeout: 60_000 }),
      hasCost: name !== 'sqlite',
      async size() {
        const { bytes, ...more } = await size(admin)
        return { bytes: bytes - empty, ...more }
      },
      counts: async () => ({ ...counts }),
      ...(log && { log: () => log(admin) }),
      ...(checkpoint && { checkpoint: () => checkpoint(admin) }),
      ...(vacuum && { vacuum: () => vacuum(admin) }),
      close: async () => void (await Promise.all([knex.destroy(), admin.destroy()]))
    }
  }
}
