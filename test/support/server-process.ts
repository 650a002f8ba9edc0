import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from './redis.js'

// However a test process ends, its servers end with it: on Linux by the kernel, also when it is killed.
const tie = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0 ? ['setpriv', '--pdeathsig', 'KILL'] : []
const live = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of live) child.kill('SIGKILL')
})

/** The process of a server, which can be killed and started again. */
export class ServerProcess {
  readonly #command: readonly string[]
  #child: ChildProcess | undefined

  constructor(...command: string[]) {
    this.#command = [...tie, ...command]
  }

  get pid(): number {
    return this.#child!.pid!
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  start(options: SpawnOptions): ChildProcess {
    const [file, ...args] = this.#command
    const child = spawn(file!, args, options)
    live.add(child)
    this.#child = child
    return child
  }

  /** SIGSTOP: the server holds its connections and answers nobody. */
  async pause(): Promise<void> {
    this.#child!.kill('SIGSTOP')
    // Its threads go on for a moment, long enough to answer.
    await until('the server is stopped', () => isStopped(this.pid))
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  /** kill -9. */
  async kill(): Promise<void> {
    if (!this.isRunning) return
    const child = this.#child!
    const exited = once(child, 'exit')
    // The server may not keep this process alive, but it is waited for.
    child.ref()
    child.kill('SIGKILL')
    await exited
    live.delete(child)
  }
}

async function isStopped(pid: number): Promise<boolean> {
  const tasks = `/proc/${pid}/task`
  if (!existsSync(tasks)) return true
  const states = await Promise.all((await readdir(tasks)).map((task) => readFile(join(tasks, task, 'stat'), 'utf8')))
  return states.every((state) => / T /.test(state))
}
