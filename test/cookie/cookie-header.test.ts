import test from 'ava'
import * as fc from 'fast-check'
import { cookieValues } from '../../src/cookie/cookie-header.js'
import { noise } from './subjects.js'

const cases: readonly [header: string, values: string[]][] = [
  ['s=x', ['x']],
  ['a=1; s=x; b=2', ['x']],
  ['a=1;s=x;b=2', ['x']],
  ['s=x; s=y;s=x', ['x', 'y', 'x']],
  ['  \t s=x\t \t;', ['x']],
  ['s=', ['']],
  ['s=;s=', ['', '']],
  ['s="x"', ['x']],
  ['s="x" ', ['x']],
  ['s=""', ['']],
  ['s="', ['"']],
  ['s="x', ['"x']],
  ['s=x"', ['x"']],
  ['s=""x""', ['"x"']],
  ['s=" x "', [' x ']],
  ['s= x', [' x']],
  ['s =x', []],
  ['s', []],
  ['ss=x', []],
  ['a=s=x', []],
  ['a="; s=x"', ['x"']],
  ['s=a=b', ['a=b']],
  ['S=x', []],
  ['\u00a0s=x', []],
  ['s=x\u00a0', ['x\u00a0']],
  ['s=\u00a0x', ['\u00a0x']],
  ['s=x\u0085; s=\u000bx', ['x\u0085', '\u000bx']],
  ['s=x\r', ['x\r']]
]
/** ASCII without spaces, which AVA would make one of. */
function shown(value: unknown): string {
  return JSON.stringify(value).replace(/[ \u0080-\uffff]/g, (character) => (character === ' ' ? '␠' : `\\u00${character.charCodeAt(0).toString(16)}`))
}

for (const [header, values] of cases) {
  test(`${shown(header)} has the values ${shown(values)}`, (t) => {
    t.deepEqual(cookieValues('s=', header, 8), values)
  })
}

test('a name that starts like the end of another is found where it starts a pair', (t) => {
  t.deepEqual(cookieValues('aa=', 'aaa=1; aa=2', 8), ['2'])
})

test('no more values are read than asked for', (t) => {
  t.deepEqual(cookieValues('s=', 's=1; s=2; s=3', 2), ['1', '2'])
})

test('in any header, each value is the text between the name and the next semicolon', (t) => {
  const pair = fc.oneof(noise, noise.map((text) => `s=${text}`))
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 10 }), (pairs) => {
      const header = pairs.join('; ')
      const parts = header.split(';').map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ''))
      const expected = parts.filter((part) => part.startsWith('s=')).map((part) => part.slice(2).replace(/^"(.*)"$/s, '$1'))
      t.deepEqual(cookieValues('s=', header, Infinity), expected)
    }),
    { numRuns: 2000 }
  )
})
