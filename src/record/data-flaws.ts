import { maxJsonDepth, type Data, type Json } from './json.js'

/** Matches the text of numbers that may be too large: `1e400` is read as `Infinity`, which this library never writes. */
const largeNumber = /\d{300}|[eE]\+?\d{3}/

/**
 * Returns why this library cannot have written the data, or `undefined`. Data that is nested too deep would exhaust the stack when it is
 * read, and an infinite number could not be saved again.
 *
 * It checks every value only if the text is long enough to be nested that deep, or has a large number. Few texts are.
 */
export function flawInData(data: Data, text: string): string | undefined {
  const mayBeDeep = text.length > 2 * maxJsonDepth
  if (!mayBeDeep && !largeNumber.test(text)) return undefined
  // Level by level, because a recursion could exhaust the stack.
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
