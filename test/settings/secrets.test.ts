import { inspect } from 'node:util'
import test from 'ava'
import * as fc from 'fast-check'
import { SessionError } from '../../src/errors.js'
import { settings } from '../../src/settings/index.js'
import { settingNames } from '../../src/settings/names.js'

const password = 'hunter2hunter2'
const types = ['null', 'cookie', 'memory', 'filesystem', 'redis', 'memcached', 'mongodb', 'sqlalchemy', undefined]

function errorOf(source: object): Error | undefined {
  try {
    settings(source)
    return undefined
  } catch (error) {
    return error as Error
  }
}

// Names in which a secret belongs, or a URL, or a client.
const secretNames = /SECRET|REDIS|MEMCACHED|MONGODB$|SQLALCHEMY$|DATABASE_URI|CACHELIB|DYNAMODB|SEQUENCE|BIND_KEY/

const secrets = [password, `"${password}`, `["${password}", ""]`, [password, 5], { password }, `host:${password}`]

const urls = [
  new URL(`ftp://user:${password}@host/`),
  `redis://user:${password}@host:port`,
  `redis://user:${password}@host:6379/0?x=[`,
  `rediss://user:${password}@`,
  `mongodb://user:${password}@host:port`,
  `memcached://user:${password}@host`,
  `postgresql+psycopg2://user:${password}@host:port/db`,
  `postgres://user:${password}@host/%zz`,
  `mysql+pymysql://user:${password}@[host/db`,
  `sqlite://user:${password}@host/db`,
  `oracle://user:${password}@host/db`,
  `x://user:${password}@host`
]

for (const name of settingNames) {
  test(`no error shows a password that was in ${name}`, (t) => {
    for (const value of secretNames.test(name) ? [...secrets, ...urls] : urls) {
      for (const type of name === 'SESSION_TYPE' ? [undefined] : types) {
        const error = errorOf({ SESSION_TYPE: type, [name]: value })
        if (!error) continue
        const shown = `${inspect(error, { depth: 9 })}\n${error.message}\n${error.stack}`
        t.false(shown.includes(password), shown)
      }
    }
    t.pass()
  })
}

test('settings() throws nothing but a TypeError or a SessionError that names a setting, whatever the values are', (t) => {
  const value = fc.oneof(
    fc.anything(),
    fc.string(),
    fc.integer(),
    fc.constantFrom(...types, 'true', 'off', '600', '0o640', '31', '/', 'Lax', 'None', '["a"]', 'redis://127.0.0.1', 'mongodb://a,b/c', 'postgresql://h/d', '127.0.0.1:11211', 'sqlite:')
  )
  const source = fc.dictionary(fc.constantFrom(...settingNames, 'SESSION_', 'SESSION_TPYE', 'SESSION_MANAGER', 'PATH'), value, { maxKeys: 8 })
  fc.assert(
    fc.property(source, (given) => {
      const error = errorOf(given)
      if (!error) return
      t.true(error instanceof TypeError || error instanceof SessionError, String(error))
      t.true(error.message.startsWith('settings(source): '), error.message)
      t.true(Object.keys(given).some((name) => error.message.includes(name)) || given['SESSION_TYPE'] !== undefined, error.message)
    }),
    { numRuns: 3000 }
  )
  t.pass()
})
