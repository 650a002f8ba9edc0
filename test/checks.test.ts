import test from 'ava'
import { assertOptionNames, assertOption, isCount, isPositive, kindOf, closestName, OptionChecks } from '../src/checks.js'

test('known names and an empty object are accepted', (t) => {
  t.notThrows(() => assertOptionNames('store(options)', { dir: 1, mode: undefined }, ['dir', 'mode']))
  t.notThrows(() => assertOptionNames('store(options)', {}, []))
})

test('one error lists all unknown names, each with a suggestion or advice, and the known ones', (t) => {
  t.throws(() => assertOptionNames('store(options)', { dri: 1 }, ['dir', 'mode']), {
    instanceOf: TypeError,
    message: 'store(options): unknown option "dri": did you mean "dir"?; known are dir, mode'
  })
  t.throws(() => assertOptionNames('store(options)', { dri: 1, dir: 1, ttl: 1, something: 1 }, ['dir'], { ttl: 'is now lifetime' }), {
    message: 'store(options): unknown option "dri": did you mean "dir"?; "ttl" is now lifetime; unknown option "something"; known are dir'
  })
  t.throws(() => assertOptionNames('store(options)', JSON.parse('{"__proto__":1}') as object, ['dir']), { message: /"__proto__"/ })
})

const kinds: readonly [unknown, string][] = [
  [null, 'null'],
  [undefined, 'undefined'],
  ['hunter2', 'a string'],
  [0, '0'],
  [-0, '-0'],
  [Number.NaN, 'NaN'],
  [true, 'true'],
  [12n, 'a bigint'],
  [Symbol('hunter2'), 'a symbol'],
  [() => 'hunter2', 'a function'],
  [['hunter2'], 'an array'],
  [{ password: 'hunter2' }, 'an object']
]
for (const [value, kind] of kinds) {
  test(`the error for a wrong value that may be a secret says ${kind} and never quotes it`, (t) => {
    const error = t.throws(() => assertOption('store(options)', 'mode', value, false, 'a number', kindOf), { instanceOf: TypeError })
    t.is(error?.message, `store(options): mode must be a number, got ${kind}`)
    const quoting = t.throws(() => assertOption('store(options)', 'mode', value, false, 'a number'), { instanceOf: TypeError })
    t.is(quoting?.message, `store(options): mode must be a number, got ${value === 'hunter2' ? "'hunter2'" : kind}`)
    if (kind === 'an object') return
    const message = typeof value === 'function' ? undefined : `store(options): expected an object of options, got ${kind}`
    t.throws(() => assertOptionNames('store(options)', value as object, []), { instanceOf: TypeError, ...(message !== undefined && { message }) })
  })
}

test('one error lists every wrong name and every wrong value of a call, and quotes text up to 60 characters', (t) => {
  const checks = new OptionChecks('store(options)')
  checks.names({ dri: 1 }, ['dir', 'mode'])
  checks.option('mode', 'rw', false, 'a number')
  checks.option('dir', '/'.repeat(100), false, 'a path')
  checks.option('size', 1, true, 'a number')
  checks.include(() => assertOptionNames('store(options): cookie', { pth: 1 }, ['path']))
  t.is(checks.include(() => 7), 7)
  t.throws(() => checks.throwIfAny(), {
    instanceOf: TypeError,
    message:
      `store(options): unknown option "dri": did you mean "dir"?; mode must be a number, got 'rw'; dir must be a path, got '${'/'.repeat(60)}'... 40 more characters; ` +
      'cookie: unknown option "pth": did you mean "path"?; known are path; known are dir, mode'
  })
  t.notThrows(() => new OptionChecks('store(options)').throwIfAny())
})

test('an error that is not about options passes through', (t) => {
  const checks = new OptionChecks('store(options)')
  t.throws(() => checks.include(() => { throw new RangeError('no memory') }), { instanceOf: RangeError })
})

test('a valid value is accepted', (t) => {
  t.notThrows(() => assertOption('store(options)', 'mode', 0, true, 'a number'))
})

test('a positive number is finite and above 0', (t) => {
  for (const value of [1, 0.5, Number.MAX_VALUE]) t.true(isPositive(value))
  for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '1', 1n, null, undefined, [1]]) t.false(isPositive(value))
})

test('a count is a whole number from 0', (t) => {
  for (const value of [0, 1, Number.MAX_SAFE_INTEGER]) t.true(isCount(value))
  for (const value of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, '1', 1n, null, undefined]) t.false(isCount(value))
})

const misspelt: readonly [name: string, meant: string | undefined][] = [
  ['lifetme', 'lifetime'],
  ['liftime', 'lifetime'],
  ['lifeitme', 'lifetime'],
  ['Lifetime', 'lifetime'],
  ['stoer', 'store'],
  ['sotre', 'store'],
  ['prefixes', 'prefix'],
  ['sael', 'seal'],
  ['ttl', undefined],
  ['maxAge', undefined],
  ['', undefined],
  ['x'.repeat(10_000), undefined]
]
for (const [name, meant] of misspelt) {
  test(`the nearest name to "${name.slice(0, 20)}" is ${meant ?? 'none'}`, (t) => {
    t.is(closestName(name, ['store', 'lifetime', 'prefix', 'as', 'seal']), meant)
  })
}
