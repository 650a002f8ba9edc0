import test from 'ava'
import { histories } from './histories.js'
import { memcached } from './stages/memcached.js'
import { redis, redisCluster } from './stages/redis.js'

histories(test, [redis, redisCluster, memcached])
