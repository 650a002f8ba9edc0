import { print, type Io } from './io.js'
import { printable } from './text.js'

/** Prints problems as they are found, and counts them at the end. */
export class Report {
  readonly #io: Io
  readonly #notes: string[] = []
  #problems = 0

  constructor(io: Io) {
    this.#io = io
  }

  async problem(kind: string, name: string, problem: string): Promise<void> {
    this.#problems++
    await print(this.#io.stdout, `${kind.padEnd(9)} ${printable(name)}: ${printable(problem)}`)
  }

  /** Notes a fact, which is printed at the end. */
  note(fact: string): void {
    this.#notes.push(fact)
  }

  /** Prints the notes and returns the status of the command. */
  async end(name: string): Promise<number> {
    for (const note of this.#notes) await print(this.#io.stdout, note)
    const count = this.#problems === 1 ? '1 problem' : `${this.#problems === 0 ? 'no' : this.#problems} problems`
    await print(this.#io.stdout, `${count} in ${name}`)
    return this.#problems === 0 ? 0 : 1
  }
}
