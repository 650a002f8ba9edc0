export { openRedis } from './open-redis.js'
export { redisStore } from './redis-store.js'
export type { RedisUrlOptions } from './open-redis.js'
export type { RedisClient, RedisStoreOptions } from './redis-store.js'
