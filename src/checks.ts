import { inspect } from 'node:util'

/**
 * Checks of what a developer hands in, shared by the middleware and the stores. Each is a `TypeError` that names the
 * option, what is expected and what came, and never quotes a secret.
 */

/** Refuses names that are not among the known ones. */
export function assertKnown(where: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`${where}: expected an object of options, got ${kindOf(options)}`)
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new TypeError(`${where}: unknown option "${name}"; known are ${known.join(', ')}`)
  }
}

/** Refuses a value that does not pass, saying what was expected. */
export function assertOption(where: string, name: string, value: unknown, passes: boolean, expected: string): void {
  if (!passes) throw new TypeError(`${where}: ${name} must be ${expected}, got ${kindOf(value)}`)
}

export function isPositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** Not an array, a Map or the like, whose content would be lost or come out as something else. */
export function isDataObject(value: unknown): value is object {
  return Object.prototype.toString.call(value) === '[object Object]'
}

/** Numbers and booleans as they are, everything else by its kind: a string may be a secret. */
function kindOf(value: unknown): string {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return inspect(value)
  if (typeof value !== 'object') return typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`
  return Array.isArray(value) ? 'an array' : 'an object'
}
