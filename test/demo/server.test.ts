import { readdir, readFile, stat } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import test from 'ava'
import { Guest, makeDirectory, recordsIn, spawnDemo, startDemo } from '../support/demo.js'
import { idOf } from '../support/events.js'
import { Client } from '../support/client.js'
import { needsRedis, startRedis, until } from '../support/redis.js'

const secret = 'a secret of more than thirty-two characters'

test('it prints one line, with its address and where sessions are kept, and SIGTERM ends it with 0', async (t) => {
  const dir = join(await makeDirectory(t), 'sessions')
  const demo = await startDemo(t, { SESSION_FILE_DIR: dir, SECRET_KEY: secret })
  t.regex(demo.line, /^koa-keepsake demo: http:\/\/127\.0\.0\.1:\d+, sessions in /)
  t.true(demo.line.includes(dir))
  t.deepEqual(await demo.stop(), { code: 0, signal: null, stdout: `${demo.line}\n`, stderr: '' })
})

test('a restart keeps people logged in, with a key that was made and kept outside the sessions', async (t) => {
  const dir = join(await makeDirectory(t), 'sessions')
  const first = await startDemo(t, { SESSION_FILE_DIR: dir })
  t.true(first.line.includes(`SECRET_KEY is not set, the key made for it is kept in ${dir}.secret`))
  t.is((await stat(`${dir}.secret`)).mode & 0o777, 0o600)
  const guest = new Guest(first.origin)
  await guest.login()
  await guest.send('/count')
  await first.stop()

  const second = await startDemo(t, { SESSION_FILE_DIR: dir })
  const returned = new Guest(guest.client.at(second.origin))
  t.is(await returned.count(), 1)
  t.true((await readdir(dir)).every((name) => name === 'owners' || name.endsWith('.json')))
  t.is((await second.stop()).code, 0)
})

test('the environment decides over directory, mode, prefix, cookie name and lifetime', async (t) => {
  const dir = join(await makeDirectory(t), 'kept')
  const demo = await startDemo(t, {
    SESSION_FILE_DIR: dir,
    SESSION_FILE_MODE: '640',
    SESSION_FILE_THRESHOLD: '50',
    SESSION_KEY_PREFIX: 'demo-',
    SESSION_COOKIE_NAME: 'keep',
    PERMANENT_SESSION_LIFETIME: '7200',
    SECRET_KEY: secret
  })
  const guest = new Guest(demo.origin)
  await guest.login({ remember: 'yes' })
  const file = join(dir, `demo-${idOf(guest.client.cookie('keep')!)}.json`)
  t.is((await stat(file)).mode & 0o777, 0o640)
  t.like(JSON.parse(await readFile(file, 'utf8')), { permanent: true, lifetime: 7_200_000 })
  t.true((await guest.get('/session')).text.includes('of 2 hours'))
})

test('SIGTERM closes a connection that a browser opened ahead at once, and the others with the answer to the request in progress', async (t) => {
  const dir = join(await makeDirectory(t), 'sessions')
  const demo = await startDemo(t, { SESSION_FILE_DIR: dir, SECRET_KEY: secret })
  const guest = new Guest(demo.origin)
  await guest.login()
  const socket = connect(Number(new URL(demo.origin).port), '127.0.0.1')
  await once(socket, 'connect')
  const slow = guest.send('/count', { slowly: 'yes' })
  // Wrong tokens are refused at once: by then the slow request, sent before, is with the server.
  t.is((await new Guest(demo.origin).send('/count')).status, 403)
  demo.signal('SIGTERM')
  t.is(await Promise.race([once(socket, 'close').then(() => 'closed'), slow.then(() => 'answered')]), 'closed')
  const next = slow.then(() => guest.get('/'))
  t.is((await slow).status, 303)
  t.is(await next.then(() => 'answered', () => 'closed'), 'closed')
  t.is((await demo.ended).code, 0)
  const [name] = await recordsIn(dir)
  t.like(JSON.parse(await readFile(join(dir, name!), 'utf8')), { data: { visits: 1 } })
})

const bad: [env: Record<string, string>, message: RegExp][] = [
  [{ PORT: 'http' }, /PORT must be a whole number from 0 to 65535, not "http"/],
  [{ SESSION_COOKIE_NAME: 'a b' }, /SESSION_COOKIE_NAME must be a cookie name/],
  [{ SESSION_FILE_DIR: '/dev/null/sessions' }, /no secret key can be kept in \/dev\/null\/sessions.secret \(ENOTDIR\): set SECRET_KEY/]
]
for (const [env, message] of bad) {
  test(`${JSON.stringify(env)}: one line that says what is wrong, and exit code 1`, async (t) => {
    const dir = join(await makeDirectory(t), 'sessions')
    const { code, stdout, stderr } = await spawnDemo(t, { PORT: '0', SESSION_FILE_DIR: dir, ...env }).ended
    t.is(code, 1)
    t.is(stdout, '')
    t.regex(stderr, message)
    t.regex(stderr, /^koa-keepsake demo: [^\n]+\n$/)
  })
}

test('a port that is taken: one line, and exit code 1', async (t) => {
  const dir = join(await makeDirectory(t), 'sessions')
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  const { code, stderr } = await spawnDemo(t, { PORT: String(port), SESSION_FILE_DIR: dir, SECRET_KEY: secret }).ended
  t.is(code, 1)
  t.is(stderr, `koa-keepsake demo: cannot listen on 127.0.0.1, port ${port} (EADDRINUSE): set PORT or HOST\n`)
})

const redisTest = needsRedis(test)

redisTest('SESSION_TYPE=redis: a login survives a restart of the demo, and the session page shows key and TTL', async (t) => {
  const redis = await startRedis()
  t.teardown(() => redis.stop())
  const env = { SESSION_TYPE: 'redis', SESSION_REDIS: redis.url, SECRET_KEY: secret, SESSION_KEY_PREFIX: 'demo:' }
  const first = await startDemo(t, env)
  t.is(first.line, `koa-keepsake demo: ${first.origin}, sessions in Redis at 127.0.0.1:${redis.port}`)
  const guest = new Guest(first.origin)
  await guest.login({ remember: 'yes' })
  await guest.send('/count')
  t.is((await first.stop()).code, 0)

  const second = await startDemo(t, env)
  const returned = new Guest(guest.client.at(second.origin))
  t.is(await returned.count(), 1)
  const key = `demo:${idOf(guest.client.cookie('session')!)}`
  t.is((await redis.cli('TTL', key)).trim().length, '2678400'.length)
  // The client that asks for the TTL connects beside the first request.
  await until('the page knows the TTL', async () => /31 days \(2678\d{3} s\)/.test((await returned.get('/session')).text))
  t.true((await returned.get('/session')).text.includes(key))
  await returned.get('/')
  await returned.send('/logout')
  // A removal leaves a marker without data for a minute.
  t.false((await redis.cli('GET', key)).includes('Momo'))
  t.true(Number(await redis.cli('TTL', key)) <= 60)
  t.is((await second.stop()).code, 0)
})

test('the environment decides over the attributes of the cookie, and the session page shows them', async (t) => {
  const dir = join(await makeDirectory(t), 'sessions')
  const demo = await startDemo(t, {
    SESSION_FILE_DIR: dir,
    SECRET_KEY: secret,
    SECRET_KEY_FALLBACKS: '["an older secret of more than thirty-two bytes"]',
    SESSION_PERMANENT: 'yes',
    SESSION_USE_SIGNER: 'no',
    SESSION_COOKIE_HTTPONLY: 'off',
    SESSION_COOKIE_SECURE: 'True',
    SESSION_COOKIE_SAMESITE: 'Strict',
    SESSION_COOKIE_PARTITIONED: '1',
    SESSION_COOKIE_PATH: '/',
    SESSION_COOKIE_DOMAIN: '.demo.example',
    SESSION_REFRESH_EACH_REQUEST: 'False',
    SESSION_ID_LENGTH: '32',
    SESSION_SERIALIZATION_FORMAT: 'json',
    SESSION_CLEANUP_N_REQUESTS: '100'
  })
  const { setCookie } = await new Client(demo.origin).get('/login')
  t.is(setCookie.length, 1)
  const [value, ...attributes] = setCookie[0]!.split('; ')
  t.regex(value!, /^session=[\w-]{43}$/)
  const expected = ['Path=/', 'Domain=demo.example', 'Secure', 'SameSite=Strict', 'Partitioned']
  t.deepEqual(attributes.filter((each) => !each.startsWith('Expires=')).toSorted(), expected.toSorted())
  t.true(attributes.some((each) => each.startsWith('Expires=')))
  const page = await new Client(demo.origin).get('/session', { headers: { cookie: value! } })
  for (const attribute of expected) t.true(page.text.includes(`<li>${attribute}</li>`), attribute)
  t.false(page.text.includes('HttpOnly'))
  t.like(await demo.stop(), { code: 0, stderr: '' })
})

redisTest('while Redis is away every page is a 503 that touches no cookie; when it is back, so is the login', async (t) => {
  const redis = await startRedis()
  t.teardown(() => redis.stop())
  const demo = await startDemo(t, { SESSION_TYPE: 'redis', SESSION_REDIS: redis.url, SECRET_KEY: secret })
  const guest = new Guest(demo.origin)
  await guest.login()
  const cookie = guest.client.cookie('session')
  redis.pause()
  const { status, setCookie, text } = await guest.get('/')
  redis.resume()
  t.deepEqual([status, setCookie], [503, []])
  t.true(text.includes('nobody is logged out'))
  t.is(guest.client.cookie('session'), cookie)
  await until('the demo recovers', async () => (await guest.count()) === 0)
  t.is((await demo.stop()).code, 0)
})
