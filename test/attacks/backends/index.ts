import type { Backend } from './backend.js'
import { cookie, files, memory } from './local.js'
import { memcached } from './memcached.js'
import { mongo } from './mongo.js'
import { redis } from './redis.js'
import { sql } from './sql.js'

export type { Backend, Opened, Texts } from './backend.js'

export const backends: readonly Backend[] = [memory, files, ...redis, memcached, mongo, ...sql, cookie]
