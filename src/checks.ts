import { inspect } from 'node:util'

/*
 * Checks of options, shared by the middleware and the stores. A failed check is a `TypeError` that names the option, what is expected and
 * what was given. It never quotes a string, which may be a secret.
 */

/**
 * Refuses unknown names of options. One error lists them all.
 *
 * @param advice for names of other libraries: a clause that follows the name in the error.
 */
export function assertKnown(where: string, options: object, known: readonly string[], advice: { readonly [name: string]: string } = {}): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`${where}: expected an object of options, got ${kindOf(options)}`)
  }
  const unknown = Object.keys(options).filter((name) => !known.includes(name))
  if (unknown.length === 0) return
  const problems = unknown.map((name) => {
    if (Object.hasOwn(advice, name)) return `"${name}" ${advice[name]}`
    const meant = nearest(name, known)
    return meant === undefined ? `unknown option "${name}"` : `unknown option "${name}": did you mean "${meant}"?`
  })
  throw new TypeError(`${where}: ${problems.join('; ')}; known are ${known.join(', ')}`)
}

/** Refuses a value that does not pass. The error says what is expected. */
export function assertOption(where: string, name: string, value: unknown, passes: boolean, expected: string): void {
  if (!passes) throw new TypeError(`${where}: ${name} must be ${expected}, got ${kindOf(value)}`)
}

export function isPositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** Reports whether a value is an object with keys of its own. An array or a Map is none: its content would be lost or become something else. */
export function isDataObject(value: unknown): value is object {
  return Object.prototype.toString.call(value) === '[object Object]'
}

/** The known name that a misspelt name most likely means, or `undefined` if none is similar. Case does not matter. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  // A name with more than one typing error in three characters is another name.
  let least = Math.max(1, Math.floor(name.length / 3)) + 1
  let found: string | undefined
  for (const each of known) {
    if (Math.abs(each.length - name.length) >= least) continue
    const distance = editDistance(name.toLowerCase(), each.toLowerCase())
    if (distance >= least) continue
    least = distance
    found = each
  }
  return found
}

/** How many characters must be added, removed, replaced or transposed to turn one text into the other (optimal string alignment). */
function editDistance(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, column) => column)]
  const at = (row: number, column: number) => rows[row]![column]!
  for (let row = 1; row <= from.length; row++) {
    rows.push([row])
    for (let column = 1; column <= to.length; column++) {
      const cost = from[row - 1] === to[column - 1] ? 0 : 1
      let least = Math.min(at(row - 1, column) + 1, at(row, column - 1) + 1, at(row - 1, column - 1) + cost)
      const areTransposed = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (areTransposed) least = Math.min(least, at(row - 2, column - 2) + 1)
      rows[row]!.push(least)
    }
  }
  return at(from.length, to.length)
}

/** Describes a value for an error: a number or a boolean itself, anything else by its type, because a string may be a secret. */
export function kindOf(value: unknown): string {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return inspect(value)
  if (typeof value !== 'object') return typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`
  return Array.isArray(value) ? 'an array' : 'an object'
}
