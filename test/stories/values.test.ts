import test from 'ava'
import { startStory } from '../support/story.js'

const kinds: Record<string, unknown> = {
  null: null,
  'a boolean': false,
  'a number': -1.5,
  'minus zero': -0,
  'a string with every sort of character': 'zürich \u0000 \u2028 🍵 \ud800',
  'an empty string': '',
  'nested arrays and objects': { cart: [{ item: 'tea', price: 3 }, []], deep: { er: {} } },
  'a Date': new Date(Date.UTC(2026, 5, 1, 12, 0, 0, 7)),
  'a Map': new Map<unknown, unknown>([['a', new Set([1])], [{ key: 1 }, new Date(0)]]),
  'a Set': new Set(['tea', 7n]),
  'a bigint': 2n ** 70n,
  'a Uint8Array': new Uint8Array([0, 1, 255]),
  'a Buffer': Buffer.from('tea'),
  'a URL': new URL('https://example.test/a?b=c#d'),
  'an object that looks like a tagged value': { $date: '2026-01-01T00:00:00.000Z' },
  'an object with a key named __proto__': JSON.parse('{"__proto__":{"a":1}}') as unknown
}

for (const [what, value] of Object.entries(kinds)) {
  test(`${what} comes back equal and of the same kind`, async (t) => {
    let back: unknown = 'nothing'
    const { client } = await startStory(t, {
      '/set': (ctx) => ctx.session.set('value', value),
      '/get': (ctx) => void (back = ctx.session.get('value'))
    })
    t.is((await client.get('/set')).status, 204)
    await client.get('/get')
    t.deepEqual(back, value)
    t.is(Object.prototype.toString.call(back), Object.prototype.toString.call(value))
    t.is(Buffer.isBuffer(back), Buffer.isBuffer(value))
  })
}

const circular: { self?: unknown } = {}
circular.self = circular
const refused: [string, unknown, RegExp][] = [
  ['a function', { items: [1, 2, 3, () => 1] }, /cart\.items\[3\]: a function cannot be stored/],
  ['a symbol', { a: Symbol('s') }, /cart\.a: a symbol cannot be stored/],
  ['undefined in an array', { a: [1, undefined] }, /cart\.a\[1\]: undefined cannot be stored/],
  ['undefined in a map', new Map([['a', undefined]]), /undefined cannot be stored/],
  ['NaN', [Number.NaN], /cart\[0\]: NaN cannot be stored/],
  ['Infinity', Infinity, /cart: Infinity cannot be stored/],
  ['an invalid Date', new Date(Number.NaN), /cart: an invalid Date cannot be stored/],
  ['an instance of a class', new (class Basket { items = [] })(), /cart: an instance of Basket cannot be stored/],
  ['an Error', new Error('x'), /cart: an instance of Error cannot be stored/],
  ['a regular expression', /x/, /cart: an instance of RegExp cannot be stored/],
  ['a Promise', Promise.resolve(1), /cart: an instance of Promise cannot be stored/],
  ['a circular reference', circular, /cart\.self: a reference to something that contains it cannot be stored/]
]

for (const [what, value, message] of refused) {
  test(`${what} is an error that names the path, and the stored record stays as it was`, async (t) => {
    const { client, errors, record } = await startStory(t, {
      '/set': (ctx) => void (ctx.session.cart = 'tea'),
      '/bad': (ctx) => {
        ctx.session.other = 1
        ctx.session.set('cart', value)
      }
    })
    await client.get('/set')
    const before = await record()
    const answer = await client.get('/bad')
    t.is(answer.status, 500)
    t.is(answer.text, 'Internal Server Error')
    t.regex(errors[0]!.message, message)
    t.is((errors[0] as Error & { code?: string }).code, 'ERR_SESSION_VALUE')
    t.deepEqual(await record(), before)
  })
}

test('a property of an object whose value is undefined is left out, as JSON does', async (t) => {
  const { client, record } = await startStory(t, { '/': (ctx) => ctx.session.update({ user: { name: 'momo', nick: undefined, $tag: undefined }, empty: { a: undefined } }) })
  t.is((await client.get('/')).status, 204)
  t.deepEqual((await record())?.data, { user: { name: 'momo' }, empty: {} })
})

test('a value that cannot be stored makes no new session', async (t) => {
  const { client, store } = await startStory(t, { '/bad': (ctx) => ctx.session.set('cart', () => 1) })
  const answer = await client.get('/bad')
  t.is(answer.status, 500)
  t.deepEqual(answer.setCookie, [])
  t.is(store.said, '')
})

test('a value changed in place into one that cannot be stored is found too', async (t) => {
  const { client, errors, record } = await startStory(t, {
    '/set': (ctx) => ctx.session.set('cart', { items: [] }),
    '/bad': (ctx) => {
      const cart = ctx.session.get('cart') as { items: unknown[] }
      cart.items.push(() => 1)
    }
  })
  await client.get('/set')
  t.is((await client.get('/bad')).status, 500)
  t.regex(errors[0]!.message, /cart\.items\[0\]: a function cannot be stored/)
  t.deepEqual((await record())?.data, { cart: { items: [] } })
})
