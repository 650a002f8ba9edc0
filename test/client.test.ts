import test from 'ava'
import { Client } from './support/client.js'

const origin = 'http://127.0.0.1:1'

test('the tests\' client sends a cookie to its path and host only', (t) => {
  const client = new Client(origin, { host: 'www.example.test' })
  client.keep('a=1; Path=/')
  client.keep('b=2; Path=/shop')
  client.keep('c=3; Path=/; Domain=example.test')
  client.keep('d=4; Path=/; Domain=other.test')
  client.keep('e=5', '/deep/page')
  t.is(client.cookieHeader('/'), 'a=1; c=3')
  t.is(client.cookieHeader('/shop/x'), 'b=2; a=1; c=3')
  t.is(client.cookieHeader('/shopping'), 'a=1; c=3')
  t.is(client.cookieHeader('/deep/other'), 'e=5; a=1; c=3')
})

test('the tests\' client keeps secure cookies from TLS only, and refuses what browsers refuse', (t) => {
  const plain = new Client(origin)
  const tls = new Client(origin, { https: true })
  const lines = ['a=1; Secure', 'b=2; SameSite=None', '__Host-c=3; Path=/; Secure', '__Host-d=4; Path=/x; Secure', '__Secure-e=5', 'f=6; Secure; Partitioned']
  for (const line of lines) for (const client of [plain, tls]) client.keep(line)
  t.is(plain.cookieHeader('/'), '')
  t.deepEqual(tls.cookies.map(({ name }) => name), ['a', '__Host-c', 'f'])
})

test('the tests\' client lets cookies expire by its clock, replaces them by name, domain and path, and forgets the others when closed', (t) => {
  let now = 1_000_000
  const client = new Client(origin, { now: () => now })
  client.keep('a=1; Max-Age=10')
  client.keep(`b=2; Expires=${new Date(now + 20_000).toUTCString()}`)
  client.keep('c=3')
  client.keep('c=4')
  t.is(client.cookieHeader('/'), 'a=1; b=2; c=4')
  now += 10_000
  t.is(client.cookieHeader('/'), 'b=2; c=4')
  client.close()
  t.is(client.cookieHeader('/'), 'b=2')
  client.keep('b=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT')
  t.deepEqual(client.cookies, [])
})

test('a copy of the tests\' client has cookies of its own, and a client for another server shares them', (t) => {
  const client = new Client(origin)
  client.keep('a=1')
  const [copy, same] = [client.copy(), client.at('http://127.0.0.1:2')]
  client.keep('a=2')
  t.is(copy.cookie('a'), '1')
  t.is(same.cookie('a'), '2')
})
