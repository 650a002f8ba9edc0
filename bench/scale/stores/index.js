import { file, memory } from './local.js'
import { memcached } from './memcached.js'
import { mongo } from './mongo.js'
import { redis } from './redis.js'
import { sql } from './sql.js'

/**
 * How to open each store that is measured. What is opened has the `store`, its `size` in bytes, `counts` of commands by name so far, and where the
 * server has one, the length of its `log`: the bytes that a replica is sent, or that are written ahead. `hasCost`: what its server costs is
 * measured, because the page computes servers from it.
 */
export const stores = {
  memory,
  file,
  redis,
  memcached,
  mongo,
  postgres: sql('postgres'),
  mariadb: sql('mariadb'),
  sqlite: sql('sqlite')
}
