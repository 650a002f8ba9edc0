import { inspect } from 'node:util'
import test from 'ava'
import type { SessionOptions } from '../../src/options.js'
import { settings, type SettingsSource } from '../../src/settings/index.js'

/** The options without the store, which every source has. */
function optionsOf(source: SettingsSource): SessionOptions {
  const { store: _store, ...options } = settings(source)
  return options
}

const secret = 'a secret of more than thirty-two bytes'
const bytes = Buffer.from(secret)

const taken: readonly [source: SettingsSource, options: SessionOptions][] = [
  [{}, {}],
  [{ SECRET_KEY: secret }, { keys: [secret] }],
  [{ SECRET_KEY: '12345' }, { keys: ['12345'] }],
  [{ SECRET_KEY: 'null' }, { keys: ['null'] }],
  [{ SECRET_KEY: bytes }, { keys: [bytes] }],
  [{ SECRET_KEY: new Uint8Array(bytes) }, { keys: [bytes] }],
  [{ SECRET_KEY: null }, {}],
  [{ SECRET_KEY: 'new', SECRET_KEY_FALLBACKS: ['old', bytes, 'oldest'] }, { keys: ['new', 'old', bytes, 'oldest'] }],
  [{ SECRET_KEY: 'new', SECRET_KEY_FALLBACKS: '["old, with a comma", "oldest"]' }, { keys: ['new', 'old, with a comma', 'oldest'] }],
  [{ SECRET_KEY: 'new', SECRET_KEY_FALLBACKS: '[]' }, { keys: ['new'] }],
  [{ SECRET_KEY: 'new', SECRET_KEY_FALLBACKS: [] }, { keys: ['new'] }],
  [{ SECRET_KEY: 'new', SECRET_KEY_FALLBACKS: null }, { keys: ['new'] }],
  [{ SECRET_KEY: 'new', SECRET_KEY_FALLBACKS: 'null' }, { keys: ['new'] }],
  [{ SECRET_KEY_FALLBACKS: [] }, {}],

  [{ SESSION_KEY_PREFIX: '' }, { prefix: '' }],
  [{ SESSION_KEY_PREFIX: 'shop ü:' }, { prefix: 'shop ü:' }],
  [{ SESSION_ID_LENGTH: 32 }, {}],
  [{ SESSION_ID_LENGTH: '16' }, {}],
  [{ SESSION_ID_LENGTH: null }, {}],
  [{ SESSION_SERIALIZATION_FORMAT: 'msgpack' }, {}],
  [{ SESSION_SERIALIZATION_FORMAT: 'JSON' }, {}],
  [{ SESSION_CLEANUP_N_REQUESTS: null }, {}],
  [{ SESSION_CLEANUP_N_REQUESTS: 'null' }, {}],
  [{ SESSION_CLEANUP_N_REQUESTS: '100' }, {}],
  [{ SESSION_CLEANUP_N_REQUESTS: 0 }, {}],
  [{ PERMANENT_SESSION_LIFETIME: 60 }, { lifetime: 60_000 }],
  [{ PERMANENT_SESSION_LIFETIME: '2678400' }, { lifetime: 31 * 24 * 3_600_000 }],
  [{ PERMANENT_SESSION_LIFETIME: 1.5 }, { lifetime: 1500 }],
  [{ PERMANENT_SESSION_LIFETIME: '0.5' }, { lifetime: 500 }],

  [{ SESSION_COOKIE_NAME: 'keep' }, { name: 'keep' }],
  [{ SESSION_COOKIE_NAME: '__Host-s', SESSION_COOKIE_SECURE: 'true' }, { name: '__Host-s', cookie: { secure: true } }],
  [{ SESSION_COOKIE_DOMAIN: 'example.com' }, { cookie: { domain: 'example.com' } }],
  [{ SESSION_COOKIE_DOMAIN: '.example.com' }, { cookie: { domain: 'example.com' } }],
  [{ SESSION_COOKIE_DOMAIN: '..example.com' }, { cookie: { domain: 'example.com' } }],
  [{ SESSION_COOKIE_DOMAIN: 'bücher.example' }, { cookie: { domain: 'xn--bcher-kva.example' } }],
  ...([null, 'null', false, ''] as const).map((none): [SettingsSource, SessionOptions] => [{ SESSION_COOKIE_DOMAIN: none }, {}]),
  [{ SESSION_COOKIE_PATH: '/app' }, { cookie: { path: '/app' } }],
  [{ SESSION_COOKIE_PATH: '' }, {}],
  [{ SESSION_COOKIE_PATH: null }, {}],
  [{ SESSION_COOKIE_PATH: 'null' }, {}],
  [{ SESSION_COOKIE_SECURE: 'auto' }, { cookie: { secure: 'auto' } }],
  [{ SESSION_COOKIE_SAMESITE: 'Lax' }, { cookie: { sameSite: 'lax' } }],
  [{ SESSION_COOKIE_SAMESITE: 'STRICT' }, { cookie: { sameSite: 'strict' } }],
  [{ SESSION_COOKIE_SAMESITE: 'None' }, { cookie: { sameSite: 'none' } }],
  ...([null, 'null', false, 'false'] as const).map((none): [SettingsSource, SessionOptions] => [{ SESSION_COOKIE_SAMESITE: none }, { cookie: { sameSite: false } }]),
  [
    { SESSION_COOKIE_PATH: '/a', SESSION_COOKIE_DOMAIN: 'b.c', SESSION_COOKIE_HTTPONLY: false, SESSION_COOKIE_SECURE: true, SESSION_COOKIE_PARTITIONED: 'on' },
    { cookie: { path: '/a', domain: 'b.c', httpOnly: false, secure: true, partitioned: true } }
  ],

  [{ SESSION_CACHELIB: null, SESSION_DYNAMODB: null, SESSION_DYNAMODB_TABLE: null, SESSION_SQLALCHEMY_SEQUENCE: null, SESSION_SQLALCHEMY_BIND_KEY: null }, {}],
  [{ SESSION_REDIS: null, SESSION_MEMCACHED: null, SESSION_MONGODB: null, SESSION_SQLALCHEMY: null, SESSION_SQLALCHEMY_SCHEMA: null }, {}],
  [{ SESSION_TYPE: 'cookie', SESSION_USE_SIGNER: 'False', SESSION_KEY_PREFIX: 'shop:' }, {}]
]
for (const [source, options] of taken) {
  test(`${titleOf(source)} gives ${titleOf(options)}`, (t) => t.deepEqual(optionsOf(source), options))
}

const spellings: readonly [value: boolean | string, meant: boolean][] = [
  [true, true], ['true', true], ['True', true], ['TRUE', true], ['1', true], ['yes', true], ['On', true],
  [false, false], ['false', false], ['False', false], ['0', false], ['no', false], ['OFF', false]
]
for (const [value, meant] of spellings) {
  test(`${titleOf(value)} is ${meant} for each setting that is on or off`, (t) => {
    const options = optionsOf({
      SESSION_PERMANENT: value,
      SESSION_USE_SIGNER: value,
      SESSION_REFRESH_EACH_REQUEST: value,
      SESSION_COOKIE_HTTPONLY: value,
      SESSION_COOKIE_SECURE: value
    })
    t.deepEqual(options, { permanent: meant, signed: meant, refreshEachRequest: meant, cookie: { httpOnly: meant, secure: meant } })
  })
}

const refused: readonly [name: string, value: unknown, message: RegExp][] = [
  ...['', 12345, [], {}, Buffer.alloc(0), true].map((value): [string, unknown, RegExp] => ['SECRET_KEY', value, /must be text or bytes, and not empty$/]),
  ...['old', 'old,older', '"old"', '{}', '[1]', '["old",""]', '[null]', [''], [null], [undefined], Object.assign([], { length: 1 }), 7, {}, ['a', ['b']]].map(
    (value): [string, unknown, RegExp] => ['SECRET_KEY_FALLBACKS', value, /must be an array of secrets that are not empty, newest first \(as text: a JSON array/]
  ),
  ['SESSION_TYPE', '', /must be null, cookie, memory, filesystem, file, redis, memcached, mongodb, sqlalchemy or sql, got ""/],
  ['SESSION_TYPE', 'redsi', /\(did you mean redis\?\), got "redsi"/],
  ['SESSION_TYPE', ' redis', /did you mean redis\?.* got " redis"/],
  ['SESSION_TYPE', 'redis\r', /got "redis\\r"/],
  ['SESSION_TYPE', 'cachelib', /there is no cachelib in Node: use filesystem, redis or memcached/],
  ['SESSION_TYPE', 'DynamoDB', /there is no store for DynamoDB/],
  ['SESSION_TYPE', 5, /got 5/],
  ...['', 'maybe', 2, null, 'null', [], {}].flatMap((value): [string, unknown, RegExp][] =>
    ['SESSION_PERMANENT', 'SESSION_USE_SIGNER', 'SESSION_REFRESH_EACH_REQUEST', 'SESSION_COOKIE_HTTPONLY', 'SESSION_COOKIE_PARTITIONED'].map((name) => [
      name,
      value,
      /must be true or false \(as text also 1, 0, yes, no, on or off\), got /
    ])
  ),
  ['SESSION_COOKIE_SECURE', 'automatic', /must be true, false or 'auto', got "automatic"/],
  ['SESSION_KEY_PREFIX', null, /must be text, got null/],
  ['SESSION_KEY_PREFIX', 5, /must be text, got 5/],
  ...[0, 1, 15, 33, 1000, '33', '16.5', -32, 'many', true].map((value): [string, unknown, RegExp] => ['SESSION_ID_LENGTH', value, /must be a whole number from 16 to 32, got/]),
  ...['pickle', '', null].map((value): [string, unknown, RegExp] => ['SESSION_SERIALIZATION_FORMAT', value, /must be msgpack or json, got/]),
  ...['many', -1, 1.5, ''].map((value): [string, unknown, RegExp] => ['SESSION_CLEANUP_N_REQUESTS', value, /must be a whole number of 0 or more, got/]),
  ...[0, '0', -1, '-1', '31 days', '', NaN, Infinity, 1e12, '1e3', true, null, '0x10'].map((value): [string, unknown, RegExp] => [
    'PERMANENT_SESSION_LIFETIME',
    value,
    /must be a number of seconds above 0, at most a thousand years, got/
  ]),
  ['SESSION_COOKIE_NAME', 'a b', /must be a cookie name \(RFC 6265\), got 'a b'/],
  ['SESSION_COOKIE_NAME', 'koa:sess', /use for example 'koa\.sess'/],
  ...['', 'é', 5, null].map((value): [string, unknown, RegExp] => ['SESSION_COOKIE_NAME', value, /must be a cookie name/]),
  ...['example.com:80', 'a;b', 'a/', 5, true].map((value): [string, unknown, RegExp] => ['SESSION_COOKIE_DOMAIN', value, /must be a domain name, got/]),
  ...['app', '/a;b', '/é', 5, false].map((value): [string, unknown, RegExp] => ['SESSION_COOKIE_PATH', value, /must be a path that starts with \//]),
  ...['', 'foo', true, 5].map((value): [string, unknown, RegExp] => ['SESSION_COOKIE_SAMESITE', value, /must be Lax, Strict, None, or null for no such attribute, got/]),
  ['SESSION_FILE_DIR', '', /must be text that is not empty, got ""/],
  ['SESSION_FILE_DIR', 'a\0b', /must be text/],
  ['SESSION_FILE_DIR', '~', /must be a path without ~/],
  ['SESSION_FILE_DIR', '~/sessions', /must be a path without ~/],
  ...['many', '1.5', -1, '', null].map((value): [string, unknown, RegExp] => ['SESSION_FILE_THRESHOLD', value, /must be a whole number of 0 or more, got/]),
  ...[600, 400, 440, 0, -1, 0o777, 0o200, 1.5, '400', '444', '777', '8', '888', 'rw', '', '0o60', '06000', null].map((value): [string, unknown, RegExp] => [
    'SESSION_FILE_MODE',
    value,
    /must be a file mode that lets the owner read and write, .* such as 0o600, 384 or '600', got/
  ]),
  ['SESSION_MONGODB_DB', '', /must be text that is not empty/],
  ['SESSION_MONGODB_COLLECT', 5, /must be text that is not empty/],
  ['SESSION_SQLALCHEMY_TABLE', '', /must be text that is not empty/],
  ['SESSION_SQLALCHEMY_SCHEMA', '', /must be text that is not empty/],
  ['SESSION_CACHELIB', {}, /has no counterpart here: there is no cachelib in Node/],
  ['SESSION_DYNAMODB', {}, /has no counterpart here: there is no store for DynamoDB/],
  ['SESSION_DYNAMODB_TABLE', 'Sessions', /has no counterpart here: there is no store for DynamoDB/],
  ['SESSION_SQLALCHEMY_SEQUENCE', 'ids', /has no counterpart here: the table has no sequence/],
  ['SESSION_SQLALCHEMY_BIND_KEY', 'other', /has no counterpart here: there are no binds: set SESSION_SQLALCHEMY/]
]
for (const [name, value, message] of refused) {
  test(`${name}=${titleOf(value)} is refused by name`, (t) => {
    const error = t.throws(() => settings({ SECRET_KEY: secret, [name]: value }), { instanceOf: TypeError, message })
    t.true(error.message.startsWith(`settings(source): ${name} must `) || error.message.startsWith(`settings(source): ${name} has no `), error.message)
  })
}

test('a setting that is undefined is absent', (t) => {
  t.deepEqual(optionsOf({ SESSION_TYPE: undefined, SECRET_KEY: undefined, SESSION_COOKIE_SECURE: undefined }), {})
})

test('older secrets without the one that signs are refused', (t) => {
  t.throws(() => settings({ SECRET_KEY_FALLBACKS: ['old'] }), { instanceOf: TypeError, message: /SECRET_KEY_FALLBACKS needs SECRET_KEY/ })
})

const drops: readonly [source: SettingsSource, message: RegExp][] = [
  [{ SESSION_COOKIE_SAMESITE: 'None', SESSION_COOKIE_SECURE: false }, /SESSION_COOKIE_SAMESITE: 'none' needs SESSION_COOKIE_SECURE: true or 'auto'/],
  [{ SESSION_COOKIE_PARTITIONED: true, SESSION_COOKIE_SECURE: false }, /SESSION_COOKIE_PARTITIONED needs SESSION_COOKIE_SECURE: true or 'auto'/],
  [{ SESSION_COOKIE_NAME: '__Host-s' }, /__Host- needs SESSION_COOKIE_SECURE: true/],
  [{ SESSION_COOKIE_NAME: '__Secure-s', SESSION_COOKIE_SECURE: 'auto' }, /__Secure- needs SESSION_COOKIE_SECURE: true/]
]
for (const [source, message] of drops) {
  test(`${titleOf(source)} is refused, because browsers drop such a cookie`, (t) => {
    t.throws(() => settings(source), { instanceOf: TypeError, message })
  })
}

for (const source of [undefined, null, 'SESSION_TYPE=redis', 5, [], () => ({})]) {
  test(`${titleOf(source)} is no source`, (t) => {
    t.throws(() => settings(source as SettingsSource), { instanceOf: TypeError, message: /^settings\(source\): source must be process\.env or an object with settings, got / })
  })
}

test('the source is not written to', (t) => {
  const source = Object.freeze({ SECRET_KEY: 'new', SECRET_KEY_FALLBACKS: Object.freeze(['old']), SESSION_COOKIE_PATH: '/a' })
  t.notThrows(() => settings(source))
})

function titleOf(value: unknown): string {
  return inspect(value, { breakLength: Infinity, maxStringLength: 60 })
}
