import { maxJsonDepth, type Data, type Json } from './json.js'

/**
 * Returns why this library cannot have written the data, or `undefined`. Data that is nested too deep would exhaust the stack when it is
 * encoded again, and an infinite number (the text `1e400`) could not be saved again.
 */
export function flawInData(data: Data): string | undefined {
  return flawInEach(data, 1)
}

/** @param depth how many levels deep the values of the object or array are nested. It ends the recursion. */
function flawInEach(parent: Data | Json[], depth: number): string | undefined {
  for (const value of Array.isArray(parent) ? parent : Object.values(parent)) {
    const flaw = flawIn(value, depth)
    if (flaw !== undefined) return flaw
  }
  return undefined
}

function flawIn(value: Json, depth: number): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : 'it holds a number that is too large'
  if (typeof value !== 'object' || value === null) return undefined
  return depth > maxJsonDepth ? 'it is nested too deep' : flawInEach(value, depth + 1)
}
