import { files, fullDirectory, fullDisk, lockFiles } from './files.js'
import { memcached } from './memcached.js'
import { memory } from './memory.js'
import { mongo } from './mongo.js'
import { redis, redisCluster } from './redis.js'
import { sql } from './sql.js'
import type { StageMaker } from './stage.js'

/** Every store to make histories with. */
export const stages: readonly StageMaker[] = [memory, files, fullDirectory, lockFiles, fullDisk, redis, redisCluster, memcached, ...sql, mongo]
