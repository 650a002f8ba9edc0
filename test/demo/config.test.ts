import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { ConfigError, readConfig } from '../../demo/config.js'
import { keptSecret } from '../../demo/secret.js'
import { makeDirectory } from '../support/demo.js'

test('without any variable the demo keeps files beside itself, for 31 days, on loopback', (t) => {
  const { place, ...config } = readConfig({})
  t.like(place, { type: 'files', threshold: 10_000, mode: 0o600 })
  t.like(config, { host: '127.0.0.1', port: 3000, prefix: 'session:', cookieName: 'session', lifetime: 31 * 24 * 3_600_000, secret: undefined })
})

test('every variable is taken over', (t) => {
  const config = readConfig({
    PORT: '0',
    HOST: '::1',
    SESSION_FILE_DIR: '/srv/kept',
    SESSION_FILE_THRESHOLD: '0',
    SESSION_FILE_MODE: '640',
    SESSION_KEY_PREFIX: '',
    SESSION_COOKIE_NAME: 'keep',
    PERMANENT_SESSION_LIFETIME: '60',
    SECRET_KEY: 'known'
  })
  t.deepEqual(config, {
    host: '::1',
    port: 0,
    place: { type: 'files', dir: '/srv/kept', threshold: 0, mode: 0o640 },
    prefix: '',
    cookieName: 'keep',
    lifetime: 60_000,
    secret: 'known',
    secretFile: '/srv/kept.secret'
  })
})

test('Redis is chosen by SESSION_TYPE and found by SESSION_REDIS', (t) => {
  t.deepEqual(readConfig({ SESSION_TYPE: 'redis' }).place, { type: 'redis', url: 'redis://127.0.0.1:6379' })
  t.deepEqual(readConfig({ SESSION_TYPE: 'redis', SESSION_REDIS: 'rediss://u:p@far:1/2' }).place, { type: 'redis', url: 'rediss://u:p@far:1/2' })
})

for (const [text, mode] of [['600', 0o600], ['0600', 0o600], ['0o600', 0o600], ['384', 0o600], ['660', 0o660]] as const) {
  test(`SESSION_FILE_MODE=${text} is ${mode.toString(8)}`, (t) => {
    t.like(readConfig({ SESSION_FILE_MODE: text }).place, { mode })
  })
}

const refused: [name: string, value: string][] = [
  ['PORT', ''],
  ['PORT', '70000'],
  ['PORT', '80a'],
  ['PORT', '-1'],
  ['HOST', ' '],
  ['SESSION_FILE_DIR', ''],
  ['SESSION_FILE_THRESHOLD', 'many'],
  ['SESSION_FILE_THRESHOLD', '1.5'],
  ['SESSION_FILE_MODE', '400'],
  ['SESSION_FILE_MODE', '8'],
  ['SESSION_FILE_MODE', 'rw'],
  ['SESSION_COOKIE_NAME', ''],
  ['PERMANENT_SESSION_LIFETIME', '0'],
  ['PERMANENT_SESSION_LIFETIME', '31 days'],
  ['SECRET_KEY', ''],
  ['SESSION_TYPE', 'mongodb']
]
for (const [name, value] of refused) {
  test(`${name}=${JSON.stringify(value)} is refused in one line that names it`, (t) => {
    const error = t.throws(() => readConfig({ [name]: value }), { instanceOf: ConfigError })
    t.regex(error.message, new RegExp(`^${name} .+$`))
  })
}

test('a bad SESSION_REDIS is refused without repeating it: it may hold a password', (t) => {
  const error = t.throws(() => readConfig({ SESSION_TYPE: 'redis', SESSION_REDIS: 'http://u:hunter2@x' }), { instanceOf: ConfigError })
  t.regex(error.message, /^SESSION_REDIS must be a URL/)
  t.notRegex(error.message, /hunter2/)
})

test('the secret is made once, for its owner alone, and is the same for everybody who comes', async (t) => {
  const dir = await makeDirectory(t)
  const file = join(dir, 'deep', 'sessions.secret')
  const secrets = await Promise.all(Array.from({ length: 8 }, () => keptSecret(file)))
  t.is(new Set(secrets).size, 1)
  const [secret = ''] = secrets
  t.is(Buffer.from(secret, 'base64url').length, 32)
  t.is((await stat(file)).mode & 0o777, 0o600)
  t.is((await readFile(file, 'utf8')).trim(), secret)
  t.deepEqual(await readdir(join(dir, 'deep')), ['sessions.secret'])
})

test('a secret that others can read, a short one, a link and a directory are refused, and stay as they are', async (t) => {
  const dir = await makeDirectory(t)
  const pathOf = (name: string) => join(dir, name)
  const [open, short, link, folder] = [pathOf('open'), pathOf('short'), pathOf('link'), pathOf('folder')]
  await writeFile(open, 'x'.repeat(43))
  await chmod(open, 0o644)
  await writeFile(short, 'short', { mode: 0o600 })
  await symlink(short, link)
  await mkdir(folder, { mode: 0o700 })
  await t.throwsAsync(keptSecret(open), { instanceOf: ConfigError, message: /chmod 600/ })
  await t.throwsAsync(keptSecret(short), { instanceOf: ConfigError, message: /does not hold a secret key/ })
  await t.throwsAsync(keptSecret(link), { instanceOf: ConfigError, message: /\(ELOOP\): set SECRET_KEY/ })
  await t.throwsAsync(keptSecret(folder), { instanceOf: ConfigError, message: /\(EISDIR\): set SECRET_KEY/ })
  t.is(await readFile(short, 'utf8'), 'short')
})
