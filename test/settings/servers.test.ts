import test from 'ava'
import { Refusal } from '../../src/settings/reader.js'
import { databaseServer, memcachedServer, mongodbServer, namesDatabase, redisServer } from '../../src/settings/servers.js'

const databases: readonly [given: string | URL, url: string][] = [
  ['postgresql://u:p%40@h:5432/db', 'postgres://u:p%40@h:5432/db'],
  ['postgresql+psycopg2://u:p@h/db?sslmode=require', 'postgres://u:p@h/db?sslmode=require'],
  ['postgresql+asyncpg://h/db', 'postgres://h/db'],
  ['postgres://h/db', 'postgres://h/db'],
  [new URL('postgresql+psycopg://h/db'), 'postgres://h/db'],
  ['mysql+pymysql://u:p@h/db?charset=utf8mb4', 'mysql://u:p@h/db?charset=utf8mb4'],
  ['mysql+mysqldb://h/db', 'mysql://h/db'],
  ['mariadb+mariadbconnector://h/db', 'mysql://h/db'],
  ['sqlite:///sessions.db', 'sqlite:sessions.db'],
  ['sqlite:///var/sessions.db', 'sqlite:var/sessions.db'],
  ['sqlite:////var/lib/sessions.db', 'sqlite:/var/lib/sessions.db'],
  ['sqlite+pysqlite:///a%20#b.db?timeout=5', 'sqlite:a%2520%23b.db?timeout=5'],
  ['sqlite:///C:\\data\\sessions.db', 'sqlite:C:\\data\\sessions.db'],
  ['sqlite:var/sessions%20.db', 'sqlite:var/sessions%20.db'],
  ['sqlite:/var/sessions.db', 'sqlite:/var/sessions.db']
]
for (const [given, url] of databases) {
  test(`the database ${String(given)} is ${url}`, (t) => t.deepEqual(databaseServer(given), { url }))
}

for (const given of ['sqlite://', 'sqlite:///', 'sqlite:///:memory:', 'sqlite::memory:', 'sqlite:']) {
  test(`${given} is refused, because it names no file`, (t) => {
    const refusal = databaseServer(given)
    t.true(refusal instanceof Refusal && refusal.reason.includes('SESSION_TYPE=memory'))
  })
}

const hosts: readonly [given: unknown, url: string][] = [
  ['memcached://h', 'memcached://h'],
  ['memcached://h:1/', 'memcached://h:1'],
  [new URL('memcached://h:1'), 'memcached://h:1'],
  ['h:11211', 'memcached://h:11211'],
  ['127.0.0.1', 'memcached://127.0.0.1'],
  ['a:1, b:2,memcached://c', 'memcached://a:1,b:2,c'],
  ['memcached://a:1,b:2', 'memcached://a:1,b:2'],
  [['a:1', 'b'], 'memcached://a:1,b']
]
for (const [given, url] of hosts) {
  test(`the memcached ${JSON.stringify(given)} is ${url}`, (t) => t.deepEqual(memcachedServer(given), { url }))
}

test('URLs of Redis and MongoDB stay as they are', (t) => {
  for (const url of ['redis://:p%40@h:6379/3', 'rediss://h']) t.deepEqual(redisServer(url), { url })
  for (const url of ['mongodb://u:p@a:1,b:2/db?replicaSet=r', 'mongodb+srv://h']) t.deepEqual(mongodbServer(url), { url })
  t.deepEqual(redisServer(new URL('redis://h')), { url: 'redis://h' })
})

test('a client is taken as it is', (t) => {
  const client = {}
  for (const parse of [redisServer, mongodbServer, memcachedServer, databaseServer]) t.deepEqual(parse(client), { client })
})

const refused: readonly [name: string, parse: (value: unknown) => unknown, values: readonly unknown[]][] = [
  ['Redis', redisServer, ['', 'h:6379', 'http://h', 'redis:h', 5, true, null]],
  ['MongoDB', mongodbServer, ['', 'h:27017', 'mongo://h', 5, false]],
  ['memcached', memcachedServer, ['', ',', 'a:1,', 'a b', 'http://h', '[::1]:11211', 'u:p@h', [], [5], ['a:1', ''], 5]],
  ['a database', databaseServer, ['', 'h', 'oracle://h/db', 'mssql+pyodbc://h/db', 'postgresql', '//h', 5, true]]
]
for (const [name, parse, values] of refused) {
  for (const value of values) {
    test(`${JSON.stringify(value)} is no server of ${name}`, (t) => t.true(parse(value) instanceof Refusal))
  }
}

for (const [url, names] of [
  ['mongodb://h', false],
  ['mongodb://h/', false],
  ['mongodb://h/?w=1', false],
  ['mongodb://u:p@a:1,b:2/shop?w=1', true],
  ['mongodb+srv://h/shop', true]
] as const) {
  test(`${url} ${names ? 'names' : 'does not name'} a database`, (t) => t.is(namesDatabase({ url }), names))
}
