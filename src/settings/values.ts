import { isCount } from '../checks.js'
import { isLifetime } from '../request/index.js'
import { Refusal, type Parse } from './reader.js'

const millisecondsPerSecond = 1000

const flags: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [true, true], ['true', true], ['1', true], ['yes', true], ['on', true], [1, true],
  [false, false], ['false', false], ['0', false], ['no', false], ['off', false], [0, false]
])

/** Parses a setting that is on or off. The text `False` is false, although Python would take it as true. */
export const flag: Parse<boolean> = (value) =>
  flags.get(typeof value === 'string' ? value.toLowerCase() : value) ?? new Refusal('must be true or false (as text also 1, 0, yes, no, on or off)')

/** Parses a flag that may also be `auto`. */
export const flagOrAuto: Parse<boolean | 'auto'> = (value) => {
  if (typeof value === 'string' && value.toLowerCase() === 'auto') return 'auto'
  const parsed = flag(value)
  return parsed instanceof Refusal ? new Refusal("must be true, false or 'auto'") : parsed
}

export const text: Parse<string> = (value) =>
  typeof value === 'string' && value !== '' && !value.includes('\0') ? value : new Refusal('must be text that is not empty')

/** Parses a path. It refuses `~`, which Node would take literally, because nobody means a directory of that name. */
export const directory: Parse<string> = (value) => {
  const path = text(value)
  return typeof path === 'string' && /^~(?:$|[\\/])/.test(path) ? new Refusal('must be a path without ~, which only a shell replaces by your home directory') : path
}

export const prefix: Parse<string> = (value) => (typeof value === 'string' ? value : new Refusal('must be text'))

/** Makes a parser for one of a few words, in any case. */
export function wordOf<Word extends string>(words: readonly Word[], expected = words.join(' or ')): Parse<Word> {
  return (value) => words.find((word) => typeof value === 'string' && word === value.toLowerCase()) ?? new Refusal(`must be ${expected}`)
}

/** Makes a parser that also accepts Flask's `None`, as `null` or the text `null`. It means the same as an absent setting. */
export function orNone<T>(parse: Parse<T>): Parse<T | undefined> {
  return (value) => (value === null || value === 'null' ? undefined : parse(value))
}

/** Makes a parser for a whole number. */
export function count(least: number, most = Number.MAX_SAFE_INTEGER): Parse<number> {
  return (value) => {
    const number = numberOf(value)
    if (isCount(number) && number >= least && number <= most) return number
    return new Refusal(`must be a whole number ${most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`}`)
  }
}

/** Parses a number of seconds, Flask's unit, and returns milliseconds. */
export const seconds: Parse<number> = (value) => {
  const number = numberOf(value)
  const milliseconds = typeof number === 'number' ? number * millisecondsPerSecond : undefined
  return isLifetime(milliseconds) ? milliseconds : new Refusal('must be a number of seconds above 0, at most a thousand years')
}

/**
 * Parses the mode of a file. Text is octal, as for `chmod`, or decimal, as Python prints it.
 *
 * Only modes that make sense for a record are accepted. No text is such a mode both in octal and in decimal, so it is never ambiguous: `384` is
 * always 0o600, and `600` is 0o600 as text and refused as a number, because that is 0o1130.
 */
export const fileMode: Parse<number> = (value) =>
  modesOf(value).find((mode) => /^6[046][046]$/.test(mode.toString(8))) ??
  new Refusal("must be a file mode that lets the owner read and write, and the group and others read, read and write or neither, such as 0o600, 384 or '600'")

function modesOf(value: unknown): number[] {
  if (typeof value === 'number') return [value]
  if (typeof value !== 'string') return []
  const octal = /^(?:0o?)?([0-7]{3})$/i.exec(value)?.[1]
  const decimal = /^[1-9][0-9]{2}$/.exec(value)?.[0]
  return [...(octal === undefined ? [] : [Number.parseInt(octal, 8)]), ...(decimal === undefined ? [] : [Number(decimal)])]
}

/** The number in a value, which may be text in plain decimal digits. Any other value is returned as it is. */
function numberOf(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : value
}
