import { closestName } from '../checks.js'
import { Refusal, type Parse } from './reader.js'

export type StoreType = 'cookie' | 'memory' | 'filesystem' | 'redis' | 'memcached' | 'mongodb' | 'sqlalchemy'

const types: ReadonlyMap<string, StoreType> = new Map([
  ['null', 'cookie'],
  ['cookie', 'cookie'],
  ['memory', 'memory'],
  ['filesystem', 'filesystem'],
  ['file', 'filesystem'],
  ['redis', 'redis'],
  ['memcached', 'memcached'],
  ['mongodb', 'mongodb'],
  ['sqlalchemy', 'sqlalchemy'],
  ['sql', 'sqlalchemy']
])

/** Types of Flask-Session that have no store here. */
const missing: ReadonlyMap<string, string> = new Map([
  ['cachelib', 'there is no cachelib in Node: use filesystem, redis or memcached'],
  ['dynamodb', 'there is no store for DynamoDB: write one with koa-keepsake/store and pass it as the option store']
])

/** Parses the type, in any case. Python's `None` and the text `null` mean Flask's own sessions, which are in the cookie. */
export const storeType: Parse<StoreType> = (value) => {
  const name = value === null ? 'null' : typeof value === 'string' ? value.toLowerCase() : ''
  const type = types.get(name)
  if (type !== undefined) return type
  const names = [...types.keys()]
  const reason = missing.get(name)
  if (reason !== undefined) return new Refusal(`must be another type: ${reason}`)
  const meant = closestName(name, names)
  return new Refusal(`must be ${names.slice(0, -1).join(', ')} or ${names.at(-1)}${meant === undefined ? '' : ` (did you mean ${meant}?)`}`)
}
