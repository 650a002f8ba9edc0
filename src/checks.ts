import { inspect } from 'node:util'

/*
 * Checks of options, shared by the middleware and the stores. A failed check is a `TypeError` that names the option, what is expected and
 * the value that was given.
 */

/** Advice for names of other libraries: for each, a clause that follows the name in the error. */
export interface Advice {
  readonly [name: string]: string
}

/** Collects everything that is wrong with the options of one call, so that one error lists it all. */
export class OptionChecks {
  readonly #where: string
  readonly #problems: string[] = []
  /** The names that the options may have. Absent: every name was one of them. */
  #knownNames: readonly string[] | undefined

  /** @param where starts the error, for example `session(options)`. */
  constructor(where: string) {
    this.#where = where
  }

  /**
   * Refuses unknown names of options.
   *
   * @throws TypeError at once for a value that is no object of options.
   */
  names(options: object, known: readonly string[], advice: Advice = {}): void {
    if (typeof options !== 'object' || options === null || Array.isArray(options)) {
      throw new TypeError(`${this.#where}: expected an object of options, got ${kindOf(options)}`)
    }
    const unknown = Object.keys(options).filter((name) => !known.includes(name))
    if (unknown.length > 0) this.#knownNames = known
    for (const name of unknown) {
      const meant = closestName(name, known)
      if (Object.hasOwn(advice, name)) this.add(`"${name}" ${advice[name]}`)
      else this.add(`unknown option "${name}"${meant === undefined ? '' : `: did you mean "${meant}"?`}`)
    }
  }

  /**
   * Refuses a value that does not pass.
   *
   * @param describe how the error shows the value. Give it `kindOf` for a value that may be a secret, such as a URL with a password.
   */
  option(name: string, value: unknown, passes: boolean, expected: string, describe = quote): void {
    if (!passes) this.add(`${name} must be ${expected}, got ${describe(value)}`)
  }

  /** @param problem a clause that names the option. */
  add(problem: string): void {
    this.#problems.push(problem)
  }

  /** Runs another check of the same call, and adds the `TypeError` that it throws to the list. It returns the result of the check. */
  include<T>(check: () => T): T | undefined {
    try {
      return check()
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      this.add(error.message.replace(`${this.#where}: `, ''))
      return undefined
    }
  }

  /** @throws TypeError that lists every problem. */
  throwIfAny(): void {
    if (this.#problems.length === 0) return
    const known = this.#knownNames ? [`known are ${this.#knownNames.join(', ')}`] : []
    throw new TypeError(`${this.#where}: ${[...this.#problems, ...known].join('; ')}`)
  }
}

/** Refuses unknown names of options. One error lists them all. */
export function assertOptionNames(where: string, options: object, known: readonly string[], advice?: Advice): void {
  const checks = new OptionChecks(where)
  checks.names(options, known, advice)
  checks.throwIfAny()
}

/** Refuses a value that does not pass. @param describe see `OptionChecks.option`. */
export function assertOption(where: string, name: string, value: unknown, passes: boolean, expected: string, describe = quote): void {
  if (!passes) throw new TypeError(`${where}: ${name} must be ${expected}, got ${describe(value)}`)
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
export function closestName(name: string, known: readonly string[]): string | undefined {
  // A name with more than one typing error in three characters is another name.
  let least = Math.max(1, Math.floor(name.length / 3)) + 1
  let found: string | undefined
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) >= least) continue
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance >= least) continue
    least = distance
    found = candidate
  }
  return found
}

/** How many characters must be added, removed, replaced or transposed to turn one text into the other (optimal string alignment). */
function editDistance(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, column) => column)]
  const distanceAt = (row: number, column: number) => rows[row]![column]!
  for (let row = 1; row <= from.length; row++) {
    rows.push([row])
    for (let column = 1; column <= to.length; column++) {
      const cost = from[row - 1] === to[column - 1] ? 0 : 1
      let least = Math.min(distanceAt(row - 1, column) + 1, distanceAt(row, column - 1) + 1, distanceAt(row - 1, column - 1) + cost)
      const areTransposed = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (areTransposed) least = Math.min(least, distanceAt(row - 2, column - 2) + 1)
      rows[row]!.push(least)
    }
  }
  return distanceAt(from.length, to.length)
}

/** Describes a value by its type, and a number or a boolean by itself: for an error about a value that may be a secret. */
export function kindOf(value: unknown): string {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return inspect(value)
  if (typeof value !== 'object') return typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`
  return Array.isArray(value) ? 'an array' : 'an object'
}

/** The longest text that an error quotes, in characters. */
const longestQuote = 60

/** Describes a value that is no secret: text is quoted, and an object is described by its type. */
export function quote(value: unknown): string {
  return typeof value === 'string' ? inspect(value, { maxStringLength: longestQuote, breakLength: Infinity }) : kindOf(value)
}
