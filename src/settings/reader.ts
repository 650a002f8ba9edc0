import { inspect } from 'node:util'
import { kindOf } from '../checks.js'
import type { SettingName } from './names.js'

/** Turns the value of a setting into that of an option. It returns a `Refusal` for a value that it does not take. */
export type Parse<T> = (value: unknown) => T | Refusal

/** A value that a setting does not take, and why. */
export class Refusal {
  readonly reason: string
  /** The error does not show the value: it is a secret, a URL that may hold a password, or in the reason already. */
  readonly hidesValue: boolean

  constructor(reason: string, { hidesValue = false } = {}) {
    this.reason = reason
    this.hidesValue = hidesValue
  }
}

/** Reads settings by name and collects what is wrong with them, so that one error can list it all. */
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

  /** The value of a setting as an option takes it. `undefined` when it is absent, and when it is wrong. */
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

  /** @throws TypeError that lists everything that was wrong. */
  assertNoProblems(): void {
    if (this.#problems.length > 0) throw new TypeError(`settings(source): ${this.#problems.join('; ')}`)
  }
}

/** Longer texts, and those that look like a URL with a password, are not shown. */
const longestShown = 40

function shown(value: unknown): string {
  if (typeof value === 'bigint') return inspect(value)
  if (typeof value !== 'string' || value.length > longestShown || /[@:]/.test(value)) return kindOf(value)
  return JSON.stringify(value)
}

/** The entries that are not `undefined`, so that spreading them over others keeps those. */
export function withoutAbsent<T extends object>(options: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as { [Name in keyof T]?: Exclude<T[Name], undefined> }
}
