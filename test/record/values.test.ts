import assert from 'node:assert/strict'
import { createContext, runInContext } from 'node:vm'
import test from 'ava'
import * as fc from 'fast-check'
import { SessionError } from '../../src/errors.js'
import type { Json } from '../../src/record/index.js'
import { decode } from '../../src/record/decode.js'
import { encode } from '../../src/record/encode.js'

/** Encodes, writes, parses and decodes a value, as every store does. */
function throughText(value: unknown): unknown {
  return decode(JSON.parse(JSON.stringify(encode('key', value))) as Json)
}

function refusalOf(value: unknown, key = 'cart'): SessionError {
  try {
    encode(key, value)
  } catch (error) {
    if (error instanceof SessionError) return error
    throw error
  }
  throw new Error('it was encoded')
}

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
  fc.constantFrom('__proto__', 'constructor', 'toJSON', 'then', '$date', '$map', '$object', '$dict', '$', '\ud800', '')
)
const bytes = fc.uint8Array({ maxLength: 40 })
const leaf = fc.oneof(
  text,
  fc.boolean(),
  fc.constant(null),
  fc.constant(-0),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.bigInt(),
  fc.date({ noInvalidDate: true }),
  bytes,
  bytes.map((each) => Buffer.from(each)),
  bytes.map((each) => each.subarray(1)),
  fc.webUrl({ withFragments: true, withQueryParameters: true }).map((url) => new URL(url))
)
/** Objects with any keys, `__proto__` among them, with and without a prototype. */
function objects(value: fc.Arbitrary<unknown>): fc.Arbitrary<object> {
  return fc.tuple(fc.array(fc.tuple(text, value), { maxLength: 5 }), fc.boolean()).map(([entries, bare]) => {
    const object = Object.fromEntries(entries)
    return bare ? Object.setPrototypeOf(object, null) as object : object
  })
}
const { value: storable } = fc.letrec((tie) => {
  const value = tie('value')
  return {
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.array(value, { maxLength: 5 }),
      objects(value),
      fc.array(fc.tuple(value, value), { maxLength: 4 }).map((pairs) => new Map(pairs)),
      fc.array(value, { maxLength: 4 }).map((items) => new Set(items)),
      fc.tuple(text, value).map(([key, item]) => Object.fromEntries([[`$${key}`, item]]))
    )
  }
})

test('a decoded value is equal to the encoded one, of the same type, and new each time', (t) => {
  fc.assert(
    fc.property(storable, (value) => {
      // Node's comparison is strict about prototypes and about 0 and -0.
      t.notThrows(() => assert.deepEqual(throughText(value), value))
      const json = encode('key', value)
      t.deepEqual(decode(json), decode(json))
      if (typeof value === 'object' && value !== null) t.not(decode(json), decode(json))
    }),
    { numRuns: 1000 }
  )
})

test('a value has the same text each time, so that comparing texts finds every change and nothing else', (t) => {
  fc.assert(fc.property(storable, (value) => t.is(JSON.stringify(encode('k', throughText(value))), JSON.stringify(encode('k', value)))))
})

test('the encoded form shares nothing with the value', (t) => {
  const value = { list: [1, { deep: 'a' }] }
  const json = encode('key', value)
  value.list.push(2)
  ;(value.list[1] as { deep: string }).deep = 'b'
  t.deepEqual(json, { list: [1, { deep: 'a' }] })
})

const kinds: readonly [string, unknown, string][] = [
  ['-0', -0, '{"$number":"-0"}'],
  ['a bigint', -12345678901234567890n, '{"$bigint":"-12345678901234567890"}'],
  ['a Date', new Date(0), '{"$date":"1970-01-01T00:00:00.000Z"}'],
  ['the last Date', new Date(8.64e15), '{"$date":"+275760-09-13T00:00:00.000Z"}'],
  ['a Date before our era', new Date(-8.64e15), '{"$date":"-271821-04-20T00:00:00.000Z"}'],
  ['a Map', new Map<unknown, unknown>([[{ a: 1 }, new Date(0)]]), '{"$map":[[{"a":1},{"$date":"1970-01-01T00:00:00.000Z"}]]}'],
  ['a Set', new Set([1n, 'a']), '{"$set":[{"$bigint":"1"},"a"]}'],
  ['a Uint8Array', Uint8Array.of(1, 2), '{"$bytes":"AQI="}'],
  ['a Buffer', Buffer.from('momo'), '{"$buffer":"bW9tbw=="}'],
  ['a URL', new URL('https://example.org/a?b#c'), '{"$url":"https://example.org/a?b#c"}'],
  ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 }), '{"$dict":{"a":1}}'],
  ['an object that looks like a tagged one', { $date: 'today' }, '{"$object":{"$date":"today"}}'],
  ['an object with a $ key among others', { $date: 'today', a: 1 }, '{"$date":"today","a":1}'],
  ['a lone surrogate', '\ud800', '"\\ud800"'],
  ['a number of any size', [5e-324, 1.7976931348623157e308, 2 ** 53 + 2], '[5e-324,1.7976931348623157e+308,9007199254740994]']
]
for (const [name, value, expected] of kinds) {
  test(`${name} is stored as ${expected}`, (t) => {
    t.is(JSON.stringify(encode('key', value)), expected)
    t.deepEqual(throughText(value), value)
    t.true(Object.is(Object.getPrototypeOf(Object(throughText(value))), Object.getPrototypeOf(Object(value))))
  })
}

test('built-ins of another realm are encoded like those of this one', (t) => {
  const foreign: unknown = runInContext(
    '({ at: new Date(0), list: [1], map: new Map([[1, new Set([2])]]), bytes: Uint8Array.of(3), plain: { a: 1 } })',
    createContext()
  )
  t.deepEqual(throughText(foreign), {
    at: new Date(0), list: [1], map: new Map([[1, new Set([2])]]), bytes: Uint8Array.of(3), plain: { a: 1 }
  })
})

test('one object in two places comes out as two equal ones', (t) => {
  const address = { city: 'Oslo' }
  t.deepEqual(throughText({ from: address, to: [address] }), { from: { city: 'Oslo' }, to: [{ city: 'Oslo' }] })
})

class Cart {
  items = []
}
class List extends Array {}
class Moment extends Date {}
class Bytes extends Uint8Array {}
class Link extends URL {}
const Disguised = { Map: class extends Map {} }.Map
const [Nameless] = [class { a = 1 }]
const circle: unknown[] = []
circle.push({ inner: circle })
const mapCircle = new Map<unknown, unknown>()
mapCircle.set('self', mapCircle)
function nested(levels: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = [value]
  return value
}
const hidden = Object.defineProperty({ a: 1 }, 'secret', { value: 1, enumerable: false })
const clock = { get time() { return 1 } }
const sink = { set time(_: number) {} }
const mixed = [1, 2, Object.assign(new Map(), { extra: 1 })]
const listWithName = Object.assign([1], { name: 'a' })

const refusals: readonly [string, unknown, string][] = [
  ['a function', { items: [1, 2, 3, () => 1] }, 'cart.items[3]: a function cannot be stored: store plain data'],
  ['a class', { items: Cart }, 'cart.items: a function cannot be stored'],
  ['a symbol', Symbol('s'), 'cart: a symbol cannot be stored'],
  ['a symbol as key', { inner: { [Symbol('s')]: 1 } }, 'cart.inner: an object with a symbol as key cannot be stored'],
  ['undefined', undefined, 'cart: undefined cannot be stored: delete the key, or store null'],
  ['undefined in a Map', { a: new Map([['b', undefined]]) }, 'cart.a[0][1]: undefined cannot be stored'],
  ['undefined in a Set', new Set([undefined]), 'cart[0]: undefined cannot be stored'],
  ['undefined in an array', [1, undefined], 'cart[1]: undefined cannot be stored'],
  ['NaN', { price: Number.NaN }, 'cart.price: NaN cannot be stored: store null or a string instead'],
  ['Infinity', [[Number.POSITIVE_INFINITY]], 'cart[0][0]: Infinity cannot be stored'],
  ['-Infinity', Number.NEGATIVE_INFINITY, 'cart: -Infinity cannot be stored'],
  ['a hole', { list: Object.assign([1], { 2: 3 }) }, 'cart.list[1]: a hole in an array cannot be stored: fill it with null'],
  ['an array that was made longer', Object.assign([1, 2], { length: 5 }), 'cart[2]: a hole in an array cannot be stored'],
  ['a cycle', circle, 'cart[0].inner: a reference to something that contains it cannot be stored'],
  ['a cycle through a Map', mapCircle, 'cart[0][1]: a reference to something that contains it cannot be stored'],
  ['an instance', { cart: new Cart() }, 'cart.cart: an instance of Cart cannot be stored: store its data as a plain object'],
  ['an instance of a class without a name', new Nameless(), 'cart: an instance of a class cannot be stored'],
  ['an object that inherits from another', Object.create({ a: 1 }), 'cart: an instance of Object cannot be stored'],
  ['an error', { last: new RangeError('x') }, 'cart.last: an instance of RangeError cannot be stored'],
  ['a regular expression', /a/, 'cart: an instance of RegExp cannot be stored'],
  ['a promise', { user: Promise.resolve(1) }, 'cart.user: an instance of Promise cannot be stored'],
  ['a WeakMap', new WeakMap(), 'cart: an instance of WeakMap cannot be stored'],
  ['a boxed string', Object('text'), 'cart: an instance of String cannot be stored'],
  ['an ArrayBuffer', new ArrayBuffer(1), 'cart: an instance of ArrayBuffer cannot be stored'],
  ['another typed array', new Float64Array(1), 'cart: an instance of Float64Array cannot be stored'],
  ['a generator', (function* () {})(), 'cart: an instance of'],
  ['a subclass of Array', List.from([1]), 'cart: an instance of List cannot be stored'],
  ['a subclass of Date', [new Moment(0)], 'cart[0]: an instance of Moment cannot be stored'],
  ['a subclass of Uint8Array', new Bytes(1), 'cart: an instance of Bytes cannot be stored'],
  ['a subclass of URL', new Link('http://a/'), 'cart: an instance of Link cannot be stored'],
  ['a subclass of Map that is also named Map', new Disguised(), 'cart: an instance of Map cannot be stored'],
  ['something that only inherits from Date', Object.create(Date.prototype), 'cart: an instance of Date cannot be stored'],
  ['something that only inherits from URL', Object.create(URL.prototype), 'cart: an instance of URL cannot be stored'],
  ['an accessor', { clock }, 'cart.clock.time: an accessor or a hidden property cannot be stored: store a plain value'],
  ['a setter', sink, 'cart.time: an accessor or a hidden property cannot be stored'],
  ['a hidden property', hidden, 'cart.secret: an accessor or a hidden property cannot be stored'],
  ['an invalid Date', { due: new Date(Number.NaN) }, 'cart.due: an invalid Date cannot be stored: store null instead'],
  ['a Map with a property of its own', mixed, 'cart[2]: an instance of Map cannot be stored'],
  ['an array with a property of its own', { listWithName }, 'cart.listWithName: an array with properties of its own cannot be stored'],
  ['an array with a symbol as key', Object.assign([1], { [Symbol('hidden')]: 1 }), 'cart: an array with properties of its own cannot be stored'],
  ['an array with a hidden property', Object.defineProperty([1], 'hidden', { value: 1 }), 'cart: an array with properties of its own cannot be stored'],
  ['a function in a Map', new Map([['a', 1], ['b', Math.max]] as [string, unknown][]), 'cart[1][1]: a function cannot be stored'],
  ['a function as key of a Map', new Map([[Math.max, 1]]), 'cart[0][0]: a function cannot be stored'],
  ['a function in a Set', { seen: new Set([1, Math.max]) }, 'cart.seen[1]: a function cannot be stored'],
  ['a value under a strange key', { 'a b': { '[x]': { '': Number.NaN } } }, 'cart["a b"]["[x]"][""]: NaN cannot be stored'],
  ['a value under __proto__', JSON.parse('{"__proto__":[null]}', (_, value: unknown) => value ?? Symbol('x')), 'cart.__proto__[0]: a symbol'],
  ['nesting without end', nested(501), `cart${'[0]'.repeat(10)} … ${'[0]'.repeat(10)}: a value nested deeper than 500 levels cannot be stored`]
]
for (const [name, value, message] of refusals) {
  test(`${name} is refused with its path`, (t) => {
    const error = refusalOf(value)
    t.is(error.code, 'ERR_SESSION_VALUE')
    t.is(error.status, 500)
    t.true(error.message.startsWith(message), error.message)
  })
}

test('a property whose value is undefined is left out, as JSON does with an optional field', (t) => {
  t.deepEqual(throughText({ a: { b: undefined, c: 1 }, d: undefined }), { a: { c: 1 } })
  t.deepEqual(throughText([{ b: undefined }]), [{}])
  t.deepEqual(encode('key', { $date: 'today', b: undefined }), { $object: { $date: 'today' } }, 'still not taken for a Date')
  t.deepEqual(throughText({ $date: 'today', b: undefined }), { $date: 'today' })
  t.deepEqual(encode('key', Object.assign(Object.create(null) as object, { b: undefined })), { $dict: {} })
})

test('nesting of 500 levels is stored', (t) => {
  t.deepEqual(throughText(nested(500)), nested(500))
})

/** A path such as `.items[3]["a b"]` as its keys. */
function stepsOf(path: string): unknown[] {
  const parts = [...path.matchAll(/\.([^.[\]"\s]+)|\[("(?:[^"\\]|\\.)*"|\d+)\]/gsu)]
  if (parts.map(([part]) => part).join('') !== path) throw new Error(`not a path: ${path}`)
  return parts.map(([, name, json]) => name ?? (JSON.parse(json!) as unknown))
}

test('a value that cannot be stored is refused at any position, and the error has its path', (t) => {
  const steps = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.nat({ max: 5 })), { maxLength: 8 })
  fc.assert(
    fc.property(steps, (path) => {
      let value: unknown = Math.max
      for (const step of path.toReversed()) {
        value = typeof step === 'number' ? [...Array.from({ length: step }, () => 0), value] : Object.fromEntries([['a', 1], [step, value]])
      }
      const { message } = refusalOf(value, 'top')
      const shown = message.slice('top'.length, message.lastIndexOf(': a function cannot be stored'))
      t.deepEqual(stepsOf(shown), path)
    }),
    { numRuns: 1000 }
  )
})

test('decoding any text neither throws nor changes a prototype', (t) => {
  const tag = fc.constantFrom('$object', '$dict', '$number', '$bigint', '$date', '$map', '$set', '$bytes', '$buffer', '$url', '$other', '__proto__')
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.jsonValue(),
      fc.constantFrom('-0', 'NaN', '1e5', '12', '-', 'tomorrow', 'http://', '%%%'),
      fc.tuple(tag, tie('value')).map(([key, inner]) => Object.fromEntries([[key, inner]])),
      fc.array(tie('value'), { maxLength: 3 })
    )
  })).value as fc.Arbitrary<Json>
  const before = Object.getOwnPropertyNames(Object.prototype).join(',')
  fc.assert(
    fc.property(json, (form) => {
      const value = decode(form)
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return t.pass()
      const prototype = Object.getPrototypeOf(value) as object | null
      const known = [Object.prototype, null, Date.prototype, Map.prototype, Set.prototype, Uint8Array.prototype, Buffer.prototype, URL.prototype]
      return t.true(known.includes(prototype))
    }),
    { numRuns: 1000 }
  )
  t.is(Object.getOwnPropertyNames(Object.prototype).join(','), before)
  const polluting = decode(JSON.parse('{"__proto__":{"admin":true},"$map":1}') as Json) as { admin?: unknown }
  t.is(polluting.admin, undefined)
  t.is(({} as { admin?: unknown }).admin, undefined)
})

test('an invalid tagged form is decoded as a plain object', (t) => {
  for (const form of [{ $date: 'never' }, { $bigint: '1.5' }, { $map: [[1]] }, { $url: 'nowhere' }, { $number: 'NaN' }, { $other: 1 }, { $set: {} }]) {
    t.deepEqual(decode(form), form)
  }
})
