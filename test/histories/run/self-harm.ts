import fs from 'node:fs'

/** What a worker does to itself in the midst of a round. */
export interface Harm {
  /** `kill`: kill -9. `stop`: SIGSTOP, until somebody continues it. `report`: it says that the moment has come. */
  readonly kind: 'kill' | 'stop' | 'report'
  /** Before which call of the file system, or with which operation, counted from 1. */
  readonly at: number
  readonly unit: 'file call' | 'operation'
}

const fileCalls = ['open', 'read', 'write', 'futimes', 'fstat', 'lstat', 'link', 'rename', 'unlink', 'close'] as const

type Plain = (...args: unknown[]) => void

/** Counts calls of the file system and operations, and does the harm when its moment has come. */
export class SelfHarm {
  #harm: Harm | undefined
  #count = 0
  readonly #report: () => void

  constructor(report: () => void) {
    this.#report = report
    const calls = fs as unknown as Record<string, Plain>
    for (const name of fileCalls) {
      const original = calls[name]!
      calls[name] = (...args) => {
        this.#step('file call')
        original(...args)
      }
    }
  }

  /** Starts to count. `undefined`: no harm any more. */
  plan(harm: Harm | undefined): void {
    this.#harm = harm
    this.#count = 0
  }

  /** Call this when an operation has begun. The harm comes a few turns of the event loop later, while the operation is in progress. */
  operation(): void {
    this.#step('operation')
  }

  #step(unit: Harm['unit']): void {
    const harm = this.#harm
    if (harm?.unit !== unit || ++this.#count !== harm.at) return
    if (unit === 'file call') return this.#do(harm)
    let turns = harm.at % 7
    const wait = (): void => {
      if (turns-- === 0) this.#do(harm)
      else setImmediate(wait)
    }
    wait()
  }

  #do(harm: Harm): void {
    // The round may be over meanwhile.
    if (this.#harm !== harm) return
    this.#harm = undefined
    const { kind } = harm
    if (kind === 'report') this.#report()
    else process.kill(process.pid, kind === 'kill' ? 'SIGKILL' : 'SIGSTOP')
  }
}
