import { inspect } from 'node:util'
import { kindOf } from '../checks.js'
import type { SettingName } from './names.js'

/** Turns the value of a setting into the value of an option. It returns a `Refusal` for a wrong value. */
export type Parse<T> = (value: unknown) => T | Refusal

/** The reason why the value of a setting is wrong. */
export class Refusal {
  readonly reason: string
  /** `true`: the error does not show the value, because it is a secret or a URL that may hold a password, or because the reason shows it. */
  readonly hidesValue: boolean

  constructor(reason: string, { hidesValue = false } = {}) {
    this.reason = reason
    this.hidesValue = hidesValue
  }
}

/** Reads settings by name and collects the problems with them, so that one error can list them all. */
export class SettingsReader {
  readonly #source: Readonly<Record<string, unknown>>
  readonly #problems: string[] = []

  constructor(source: object) {
    this.#source = source as Readonly<Record<string, unknown>>
  }

  get names(): string[] {
    return Object.keys(this.#source)
  }

  has(name: SettingName): boolean {
    return this.#source[name] !== undefined && this.#source[name] !== null
  }

  /** Reads a setting and returns the value for an option. `undefined`: the setting is absent or wrong. */
  read<T>(name: SettingName, parse: Parse<T>): T | undefined {
    const value = this.#source[name]
    if (value === undefined) return undefined
    const parsed = parse(value)
    if (!(parsed instanceof Refusal)) return parsed
    this.addProblem(`${name} ${parsed.reason}${parsed.hidesValue ? '' : `, got ${shown(value)}`}`)
    return undefined
  }

  /** @param problem a clause that names the setting. */
  addProblem(problem: string): void {
    this.#problems.push(problem)
  }

  /** @throws TypeError that lists all problems. */
  assertNoProblems(): void {
    if (this.#problems.length > 0) throw new TypeError(`settings(source): ${this.#problems.join('; ')}`)
  }
}

/** The longest text that an error shows, in characters. It shows no text that may be a URL with a password, either. */
const longestShown = 40

function shown(value: unknown): string {
  if (typeof value === 'bigint') return inspect(value)
  if (typeof value !== 'string' || value.length > longestShown || /[@:]/.test(value)) return kindOf(value)
  return JSON.stringify(value)
}

/** Copies the options that are not `undefined`, so that spreading the result over defaults keeps the defaults of absent options. */
export function withoutAbsent<T extends object>(options: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as { [Name in keyof T]?: Exclude<T[Name], undefined> }
}
