import test from 'ava'
import * as fc from 'fast-check'
import { privateCacheControl } from '../../src/cookie/cache-control.js'

const cases: readonly [given: string, made: string | undefined][] = [
  ['', 'private'],
  ['no-store', undefined],
  ['no-cache', 'private, no-cache'],
  ['private', undefined],
  ['Private, max-age=60', undefined],
  ['no-store, max-age=0', undefined],
  ['must-revalidate', 'private, must-revalidate'],
  ['x-public, my-max-age=1', 'private, x-public, my-max-age=1'],
  ['public', 'private'],
  ['PUBLIC', 'private'],
  ['public, max-age=60', 'private, max-age=60'],
  ['max-age=60', 'private, max-age=60'],
  ['max-age = 60', 'private, max-age = 60'],
  ['s-maxage=60', 'private'],
  ['max-age=0, s-maxage=60, must-revalidate', 'private, max-age=0, must-revalidate'],
  [',public,, max-age=60,', 'private, max-age=60'],
  ['private="set-cookie, x-user", max-age=60', 'private, max-age=60'],
  ['no-cache="a, public", max-age=1', 'private, no-cache="a, public", max-age=1'],
  ['no-cache="a, public"', 'private, no-cache="a, public"'],
  ['no-cache="unclosed, public', 'private, no-cache="unclosed, public']
]
for (const [given, made] of cases) {
  test(`Cache-Control: ${given} ${made === undefined ? 'stays as it is' : `becomes ${made}`}`, (t) => {
    t.is(privateCacheControl(given)?.value, made)
  })
}

test('a value that was made private is left as it is', (t) => {
  const directive = fc.constantFrom('public', 'private', 'no-store', 'no-cache', 'max-age=1', 's-maxage=2', 'private="x"', 'immutable', 'x="a, b"')
  fc.assert(
    fc.property(fc.array(directive), (directives) => {
      const made = privateCacheControl(directives.join(', '))?.value
      if (made === undefined) return
      t.is(privateCacheControl(made), undefined)
      t.true(made.startsWith('private') && !/public|s-maxage/.test(made))
    })
  )
})

test('only a value that invites shared caches is worth a warning', (t) => {
  for (const given of ['public', 'max-age=60', 'no-cache, s-maxage=1']) t.true(privateCacheControl(given)?.wasShared, given)
  for (const given of ['', 'no-cache', 'must-revalidate', 'immutable', 'no-cache="public"']) t.false(privateCacheControl(given)?.wasShared, given)
})
