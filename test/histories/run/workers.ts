import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { bundle } from '../../support/typescript/bundle.js'
import type { Report, Task } from './worker.js'

/** A process that makes operations. */
export interface Worker {
  readonly name: string
  /** Resolves with `true` when the task is done, and with `false` when the process was killed. */
  perform(task: Task, onReached?: () => void): Promise<boolean>
  /** Whether it was stopped by a signal. */
  isStopped(): boolean
  continue(): void
  readonly isDead: boolean
}

// However a test process ends, its workers end with it: on Linux by the kernel, also those that are stopped.
const tie = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0 ? ['setpriv', '--pdeathsig', 'KILL'] : []

/** Starts processes. */
export class Workers {
  readonly #program = bundle(new URL('worker.ts', import.meta.url))[0]!
  readonly #children = new Set<ChildProcess>()
  readonly #workers: Worker[] = []
  #started = 0

  constructor() {
    process.on('exit', () => {
      for (const child of this.#children) child.kill('SIGKILL')
    })
  }

  /** So many workers that are alive. Those of an earlier call are used again. */
  ready(count: number): Worker[] {
    const alive = this.#workers.filter(({ isDead }) => !isDead)
    while (alive.length < count) alive.push(this.#start())
    this.#workers.splice(0, Infinity, ...alive)
    return alive.slice(0, count)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#children].map(async (child) => {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    }))
  }

  #start(): Worker {
    const name = (this.#started++).toString(36)
    const [command, ...args] = [...tie, process.execPath, '--no-warnings', this.#program, name]
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#children.add(child)
    const exited = once(child, 'exit').then(() => void this.#children.delete(child))
    return {
      name,
      async perform(task, onReached) {
        const answered = new Promise<void>((resolve, reject) => {
          child.on('message', function listen(report: Report) {
            if (report === 'reached') return onReached?.()
            child.off('message', listen)
            if (report === 'done') resolve()
            else reject(new Error(`worker ${name} failed: ${report.failed}`))
          })
        })
        child.send(task, () => undefined)
        return Promise.race([answered.then(() => true), exited.then(() => false)])
      },
      isStopped: () => stateOf(child) === 'T',
      continue: () => void child.kill('SIGCONT'),
      get isDead() {
        return child.exitCode !== null || child.signalCode !== null
      }
    }
  }
}

/** The letter that Linux gives the state of a process. */
function stateOf({ pid }: ChildProcess): string | undefined {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.[0]
  } catch {
    return undefined
  }
}
