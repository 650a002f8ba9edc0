import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { ConfigError, readConfig, type Environment } from '../../demo/config.js'
import { openStorage } from '../../demo/storage.js'
import { keptSecret } from '../../demo/secret.js'
import { makeDirectory } from '../support/demo.js'

test('without any variable the demo keeps files beside itself, on loopback, with the defaults of session()', (t) => {
  const { options, secretFile, ...config } = readConfig({})
  t.deepEqual(config, { host: '127.0.0.1', port: 3000 })
  t.deepEqual(Object.keys(options), ['store'])
  t.is(secretFile, join(import.meta.dirname, '../../demo/var/sessions.secret'))
})

test('every variable is taken over', async (t) => {
  const dir = join(await makeDirectory(t), 'kept')
  const env = {
    PORT: '0',
    HOST: '::1',
    SESSION_FILE_DIR: dir,
    SESSION_FILE_MODE: '640',
    SESSION_KEY_PREFIX: '',
    SESSION_COOKIE_NAME: 'keep',
    SESSION_COOKIE_SAMESITE: 'Strict',
    PERMANENT_SESSION_LIFETIME: '60',
    SECRET_KEY: 'known'
  }
  const { host, port, secretFile, options } = readConfig(env)
  t.deepEqual([host, port, secretFile], ['::1', 0, `${dir}.secret`])
  const { store: _store, ...others } = options
  t.deepEqual(others, { prefix: '', name: 'keep', cookie: { sameSite: 'strict' }, lifetime: 60_000, keys: ['known'] })
  t.is((await openStorage(env, options)).words, `the directory ${dir}`)
})

const storages: readonly [env: Environment, words: string][] = [
  [{ SESSION_TYPE: 'memory' }, 'the memory of this process'],
  [{ SESSION_TYPE: 'null' }, 'the cookie itself'],
  [{ SESSION_TYPE: 'redis', SESSION_REDIS: 'rediss://u:p@127.0.0.1:1/2' }, 'Redis at 127.0.0.1:1/2'],
  [{ SESSION_TYPE: 'memcached', SESSION_MEMCACHED: 'a:1,b:2' }, 'memcached at a:1,b:2'],
  [{ SESSION_TYPE: 'mongodb', SESSION_MONGODB: 'mongodb://u:p@a:1,b:2/c?w=1' }, 'MongoDB at a:1,b:2/c'],
  [{ SESSION_TYPE: 'sql', SESSION_SQLALCHEMY: 'postgresql+psycopg2://u:p%40@h/db' }, 'a table in h/db']
]
for (const [env, words] of storages) {
  test(`with ${Object.values(env).join(' ')} sessions are in ${words}`, async (t) => {
    const storage = await openStorage(env, readConfig(env).options)
    t.teardown(() => storage.close())
    t.is(storage.words, words)
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
  ['SESSION_TYPE', 'dynamodb'],
  ['SESSION_TPYE', 'redis']
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

test('the secret is created once, only its owner can read it, and every later start uses it', async (t) => {
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
