import { maxJsonDepth, type Data, type Json } from './json.js'

/** A number whose text may be too large: `1e400` is read as `Infinity`, which no save would write. */
const largeNumber = /\d{300}|[eE]\+?\d{3}/

/**
 * Why the data of a stored text cannot have been written by this library, or `undefined`: it is nested too deep, so that reading it would
 * exhaust the stack, or it holds an infinite number.
 *
 * The text decides whether a look at every value is needed: few texts are long enough to be nested that deep.
 */
export function flawInside(data: Data, text: string): string | undefined {
  const mayBeDeep = text.length > 2 * maxJsonDepth
  if (!mayBeDeep && !largeNumber.test(text)) return undefined
  // Level by level, so that depth costs no stack.
  let level: Json[] = Object.values(data)
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > maxJsonDepth) return 'it is nested too deep'
    const next: Json[] = []
    for (const value of level) {
      if (typeof value === 'number' && !Number.isFinite(value)) return 'it holds a number that is too large'
      if (typeof value !== 'object' || value === null) continue
      for (const inner of Array.isArray(value) ? value : Object.values(value)) {
        if (typeof inner === 'number' ? !Number.isFinite(inner) : typeof inner === 'object') next.push(inner)
      }
    }
    level = next
  }
  return undefined
}
