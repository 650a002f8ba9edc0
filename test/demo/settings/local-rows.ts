import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { Client } from '../../support/client.js'
import { recordsIn, startDemo } from '../../support/demo.js'
import { until } from '../../support/redis.js'
import { answered, startVisit, type Row, type Visit } from './visit.js'

const olderKey = 'an older secret of more than thirty-two bytes'
const newKey = 'a newer secret of more than thirty-two bytes'
const prefix = 'demo-'
const seconds = 7200

/** Every setting that concerns files, the session and its cookie. */
export function fileRows(dir: string): readonly Row[] {
  const fileOf = (id: string) => join(dir, `${prefix}${id}.json`)
  const recordOf = async (id: string) => JSON.parse(await readFile(fileOf(id), 'utf8')) as { used: number; expires: number; lifetime: number; data: object }
  let older: Promise<Visit> | undefined
  /** A demo with the same sessions and the older key. */
  const startOlder = (t: ExecutionContext) => (older ??= startVisit(t, { SECRET_KEY: olderKey, SESSION_FILE_DIR: dir, SESSION_KEY_PREFIX: prefix, SESSION_COOKIE_NAME: 'keep' }))
  return [
    ['SESSION_TYPE', 'FileSystem', 'the session is a file, in any case of the value', async ({ demo, id }, t) => {
      t.true(demo.line.includes(`sessions in the directory ${dir}`))
      t.true((await stat(fileOf(id))).isFile())
    }],
    ['SESSION_FILE_DIR', dir, 'the files are in that directory', async (_, t) => t.true((await recordsIn(dir)).length > 0)],
    ['SESSION_FILE_MODE', '416', 'the files have mode 0640', async ({ id }, t) => t.is((await stat(fileOf(id))).mode & 0o777, 0o640)],
    ['SESSION_KEY_PREFIX', prefix, 'the name of the file begins with it', async ({ id }, t) => t.true((await readdir(dir)).includes(`${prefix}${id}.json`))],
    ['SECRET_KEY', newKey, 'it signs the cookie, so a demo with another key refuses it', async ({ guest }, t) => {
      const { guest: other } = await startOlder(t)
      const { text } = await answered(() => other.client.copy().get('/session', { headers: { cookie: guest.client.cookieHeader('/session') } }))
      t.false(text.includes('Momo'))
    }],
    ['SECRET_KEY_FALLBACKS', JSON.stringify([olderKey]), 'a cookie that an older key signed is accepted', async ({ guest }, t) => {
      const { guest: other } = await startOlder(t)
      const { text } = await answered(() => guest.client.copy().get('/session', { headers: { cookie: other.client.cookieHeader('/session') } }))
      t.true(text.includes('Momo'))
    }],
    ['SESSION_PERMANENT', 'yes', 'the cookie of a visitor outlives the browser', ({ setCookie }, t) => t.regex(setCookie, /; Expires=/i)],
    ['PERMANENT_SESSION_LIFETIME', String(seconds), 'the cookie and the record live that long', async ({ setCookie, id }, t) => {
      const left = Date.parse(/Expires=([^;]+)/i.exec(setCookie)![1]!) - Date.now()
      t.true(left > 0 && left <= seconds * 1000, `${left} ms`)
      const { used, expires } = await recordOf(id)
      t.is(expires - used, seconds * 1000)
    }],
    ['SESSION_REFRESH_EACH_REQUEST', 'False', 'a request moves neither the deadline nor the cookie', async ({ guest, id }, t) => {
      const record = await recordOf(id)
      const aged = { ...record, used: record.used - 600_000, expires: record.expires - 600_000 }
      await writeFile(fileOf(id), JSON.stringify(aged))
      await utimes(fileOf(id), aged.used / 1000, aged.expires / 1000)
      const { setCookie } = await answered(() => guest.get('/session'))
      t.deepEqual(setCookie, [])
      t.is((await recordOf(id)).expires, aged.expires)
    }],
    ['SESSION_ID_LENGTH', '16', 'no effect: the sid still has 32 bytes', ({ cookie }, t) => t.is(Buffer.from(cookie.split('.')[0]!, 'base64url').length, 32)],
    ['SESSION_SERIALIZATION_FORMAT', 'msgpack', 'no effect: the record is JSON', async ({ id }, t) => t.is(typeof (await recordOf(id)).data, 'object')],
    ['SESSION_CLEANUP_N_REQUESTS', '1', 'no effect: the session outlives more requests', async ({ guest }, t) => {
      await answered(() => guest.get('/'))
      t.is(await guest.count(), 1)
    }],
    ['SESSION_COOKIE_NAME', 'keep', 'the name of the cookie', ({ setCookie }, t) => t.regex(setCookie, /^keep=/)],
    ['SESSION_COOKIE_DOMAIN', '.demo.example', 'an attribute of the cookie', attribute('Domain=demo.example')],
    ['SESSION_COOKIE_PATH', '/', 'an attribute of the cookie', async (visit, t) => {
      attribute('Path=/')(visit, t)
      const other = await startDemo(t, { SESSION_TYPE: 'memory', SECRET_KEY: newKey, SESSION_COOKIE_PATH: '/shop' })
      attribute('Path=/shop')({ ...visit, setCookie: (await new Client(other.origin).get('/login')).setCookie[0]! }, t)
    }],
    ['SESSION_COOKIE_HTTPONLY', 'off', 'scripts may read the cookie', ({ setCookie }, t) => t.notRegex(setCookie, /httponly/i)],
    ['SESSION_COOKIE_SECURE', 'True', 'an attribute of the cookie', attribute('Secure')],
    ['SESSION_COOKIE_SAMESITE', 'Strict', 'an attribute of the cookie', attribute('SameSite=Strict')],
    ['SESSION_COOKIE_PARTITIONED', '1', 'an attribute of the cookie', attribute('Partitioned')],
    ...(['SESSION_CACHELIB', 'SESSION_DYNAMODB', 'SESSION_DYNAMODB_TABLE', 'SESSION_SQLALCHEMY_SEQUENCE', 'SESSION_SQLALCHEMY_BIND_KEY'] as const).map(
      (name): Row => [name, 'null', "Flask-Session's default is accepted", ({ demo }, t) => t.regex(demo.line, /^koa-keepsake demo: http/)]
    )
  ]
}

/** The check that a cookie has an attribute. */
function attribute(expected: string): Row[3] {
  return ({ setCookie }, t) => t.true(setCookie.split('; ').includes(expected), `${expected} in ${setCookie}`)
}

export function unsignedRows(dir: string): readonly Row[] {
  return [
    ['SESSION_FILE_DIR', dir, 'the files are in that directory', async (_, t) => t.true((await recordsIn(dir)).length > 0)],
    ['SESSION_USE_SIGNER', 'no', 'the cookie is the bare sid', ({ cookie }, t) => t.regex(cookie, /^[\w-]{43}$/)],
    ['SESSION_FILE_THRESHOLD', '10', 'visitors end the sessions of visitors beyond it, and not the login', async ({ demo, guest, id }, t) => {
      for (let at = 0; at < 30; at++) await answered(() => guest.client.at(demo.origin).get('/login', { headers: { cookie: '' } }))
      await until('the sessions beyond it are ended', async () => (await filesIn(dir)).length <= 10)
      t.true((await filesIn(dir)).some((name) => name.includes(id)))
    }]
  ]
}

async function filesIn(dir: string): Promise<string[]> {
  return (await readdir(dir)).filter((name) => name.endsWith('.json'))
}

export function cookieRows(dir: string): readonly Row[] {
  return [
    ['SESSION_TYPE', 'null', 'the record is in the cookie', ({ cookie }, t) => {
      t.like(JSON.parse(Buffer.from(cookie.split('.')[1]!, 'base64url').toString()), { data: { visits: 1 } })
    }],
    ['SESSION_FILE_DIR', dir, 'no effect: there are no files', async (_, t) => t.deepEqual(await recordsIn(dir), [])]
  ]
}

export function memoryRows(dir: string): readonly Row[] {
  return [
    ['SESSION_TYPE', 'memory', 'the session ends with the process', async ({ demo, guest }, t) => {
      t.regex(demo.line, /sessions in the memory of this process/)
      const other = await startVisit(t, { SESSION_TYPE: 'memory', SECRET_KEY: 'x'.repeat(43) })
      t.false((await guest.client.at(other.demo.origin).get('/session')).text.includes('Momo'))
    }],
    ['SESSION_FILE_DIR', dir, 'no effect: there are no files', async (_, t) => t.deepEqual(await recordsIn(dir), [])]
  ]
}

