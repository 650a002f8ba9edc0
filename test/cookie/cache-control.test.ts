import test from 'ava'
import * as fc from 'fast-check'
import { privateCacheControl } from '../../src/cookie/cache-control.js'

const cases: readonly [given: string, made: string | undefined][] = [
  ['', undefined],
  ['no-store', undefined],
  ['no-cache', undefined],
  ['private', undefined],
  ['Private, max-age=60', undefined],
  ['no-store, max-age=0', undefined],
  ['must-revalidate', undefined],
  ['x-public, my-max-age=1', undefined],
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
  ['no-cache="a, public"', undefined],
  ['no-cache="unclosed, public', undefined]
]
for (const [given, made] of cases) {
  test(`Cache-Control: ${given} ${made === undefined ? 'stays as it is' : `becomes ${made}`}`, (t) => {
    t.is(privateCacheControl(given), made)
  })
}

test('what was made private needs nothing more', (t) => {
  const directive = fc.constantFrom('public', 'private', 'no-store', 'no-cache', 'max-age=1', 's-maxage=2', 'private="x"', 'immutable', 'x="a, b"')
  fc.assert(
    fc.property(fc.array(directive), (directives) => {
      const made = privateCacheControl(directives.join(', '))
      if (made === undefined) return
      t.is(privateCacheControl(made), undefined)
      t.true(made.startsWith('private') && !/public|s-maxage/.test(made))
    })
  )
})
