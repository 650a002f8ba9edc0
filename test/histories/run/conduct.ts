import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { monotonicTime, type Clock, type History, type Loss } from '../model/history.js'
import type { StoreSpec } from '../stages/open.js'
import { Random } from './random.js'
import { readRecorded } from './recorder.js'
import type { Planned } from './round.js'
import type { Harm } from './self-harm.js'
import type { Worker, Workers } from './workers.js'

/** A store, and what can happen to it. */
export interface Stage {
  readonly name: string
  /** What the worker with that number opens. */
  spec(worker: number): StoreSpec
  /** Where a worker is killed or stopped: before a call of the file system, or with an operation. @default 'operation' */
  readonly unit?: Harm['unit']
  /** Whether it removes sessions without an owner when there are too many. */
  readonly evicts?: boolean
  /** How many of the operations create sessions that nobody uses. @default 0 */
  readonly visitors?: number
}

/** What happens in a round. */
export type Fault = 'none' | 'kill' | 'stop' | Strike

/** What is done to the server or the disk in the midst of a round. */
export interface Strike {
  strike(): Promise<void>
  /** Called when the round is over. */
  heal?(): Promise<void>
  /** Whether the backend loses sessions. */
  readonly loses?: boolean
}

export interface Plan {
  readonly seed: string
  readonly processes: number
  /** One round for each of them. */
  readonly faults: readonly Fault[]
  readonly clients: number
  /** How many operations each client makes in a round. */
  readonly operations: number
}

/** A history, and what happened to those who made it. */
export interface Run {
  readonly history: History
  readonly killed: number
  readonly stopped: number
  /** How many live sessions the store evicted. */
  readonly evicted: number
}

const sessionsPerRound = 8
const clocksPerWorker = 2
/** How many milliseconds of the clocks pass in one of the machine: a session that lives for an hour lives for 12 s. */
const speed = 300
/** By how much the clocks differ at most, in milliseconds of the clocks. */
const mostSkew = 120_000
/** How often it is asked whether a worker has stopped, in milliseconds. */
const askEvery = 2
/** How many calls of the file system an operation needs, about. */
const callsPerOperation = 6

/** Lets processes use a store, does them harm, and answers what they recorded. */
export async function conduct(workers: Workers, stage: Stage, plan: Plan): Promise<Run> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'keepsake-history-'))
  try {
    return await new Conductor(workers, stage, plan, dir).run()
  } finally {
    fs.rmSync(dir, { recursive: true, force: true })
  }
}

class Conductor {
  readonly #workers: Workers
  readonly #stage: Stage
  readonly #plan: Plan
  readonly #dir: string
  readonly #random: Random
  readonly #clocks: readonly Clock[]
  /** The workers that have opened the store. */
  readonly #opened = new Set<Worker>()
  readonly #losses: Loss[] = []
  #killed = 0
  #stopped = 0

  constructor(workers: Workers, stage: Stage, plan: Plan, dir: string) {
    this.#workers = workers
    this.#stage = stage
    this.#plan = plan
    this.#dir = dir
    this.#random = new Random(plan.seed)
    const [base, origin] = [Date.now(), monotonicTime()]
    const skew = (): number => this.#random.below(2 * mostSkew) - mostSkew
    this.#clocks = Array.from({ length: plan.processes * clocksPerWorker }, (_, at) => ({ base: at === 0 ? base : base + skew(), origin, speed }))
  }

  async run(): Promise<Run> {
    for (const [round, fault] of this.#plan.faults.entries()) await this.#round(`${this.#plan.seed}/${round}`, fault)
    await Promise.all([...this.#opened].filter(({ isDead }) => !isDead).map((worker) => worker.perform({ task: 'close' })))
    const recorded = [...this.#opened].map(({ name }) => readRecorded(this.#logOf(name), name))
    return {
      history: {
        operations: recorded.flatMap(({ operations }) => operations),
        corrupt: recorded.flatMap(({ corrupt }) => corrupt),
        clocks: this.#clocks,
        losses: this.#losses,
        ...(this.#stage.evicts && { evicts: true })
      },
      killed: this.#killed,
      stopped: this.#stopped,
      evicted: recorded.reduce((sum, { evicted }) => sum + evicted, 0)
    }
  }

  async #round(seed: string, fault: Fault): Promise<void> {
    const { processes, clients, operations } = this.#plan
    const workers = await this.#ready()
    const sessions = this.#planSessions(seed, typeof fault === 'object' && fault.loses === true)
    const harmed = this.#harmed(fault)
    let striking: Promise<void> | undefined
    const playing = workers.map((worker, at) => {
      const harm = harmed.has(at) && this.#harm(fault)
      const order = { seed, worker: at, sessions, clients, operations, visitors: this.#stage.visitors ?? 0 }
      return worker.perform({ task: 'play', order, ...(harm && { harm }) }, () => {
        striking ??= this.#strike(fault)
      })
    })
    await Promise.all(playing.filter((_, at) => !harmed.has(at)))
    const alive = await this.#continued(workers, playing)
    this.#killed += alive.filter((isAlive) => !isAlive).length
    await striking
    if (typeof fault === 'object') await fault.heal?.()
    const present = await this.#ready()
    await present[this.#random.below(processes)]!.perform({ task: 'finish', sessions })
  }

  /** The workers of this run, all with the store open. */
  async #ready(): Promise<Worker[]> {
    const workers = this.#workers.ready(this.#plan.processes)
    await Promise.all(
      workers.map(async (worker, at) => {
        if (this.#opened.has(worker)) return
        this.#opened.add(worker)
        const clocks = this.#clocks.map((clock, index) => [index, clock] as const).slice(at * clocksPerWorker, (at + 1) * clocksPerWorker)
        await worker.perform({ task: 'open', spec: this.#stage.spec(at), prefix: `${this.#plan.seed}.${this.#plan.processes}:`, log: this.#logOf(worker.name), clocks })
      })
    )
    return workers
  }

  #planSessions(seed: string, isLossy: boolean): Planned[] {
    return Array.from({ length: sessionsPerRound }, (_, at): Planned => {
      const type = at === 0 && !isLossy ? 'kept' : at % 3 === 2 ? 'brief' : 'plain'
      return { name: `${seed}.${at}`, type, creator: this.#random.below(this.#plan.processes) }
    })
  }

  /** The numbers of the workers that come to harm. */
  #harmed(fault: Fault): Set<number> {
    const { processes } = this.#plan
    if (fault === 'none') return new Set()
    if (typeof fault === 'object') return new Set([this.#random.below(processes)])
    const count = fault === 'kill' ? 1 + this.#random.below(processes) : 1 + this.#random.below(Math.max(1, processes / 2))
    return new Set(Array.from({ length: count }, () => this.#random.below(processes)))
  }

  #harm(fault: Fault): Harm {
    const { clients, operations } = this.#plan
    if (fault !== 'kill' && fault !== 'stop') return { kind: 'report', unit: 'operation', at: 1 + this.#random.below((clients * operations) / 2) }
    const unit = this.#stage.unit ?? 'operation'
    return { kind: fault, unit, at: 1 + this.#random.below(clients * operations * (unit === 'operation' ? 1 : callsPerOperation)) }
  }

  async #strike(fault: Fault): Promise<void> {
    if (typeof fault !== 'object') return
    const from = monotonicTime()
    await fault.strike()
    if (fault.loses) this.#losses.push({ from, until: monotonicTime() })
  }

  /** Continues the workers that have stopped, until all are done or dead. Answers which of them are alive. */
  async #continued(workers: readonly Worker[], playing: readonly Promise<boolean>[]): Promise<boolean[]> {
    const all = Promise.all(playing)
    for (;;) {
      for (const worker of workers) {
        if (!worker.isStopped()) continue
        this.#stopped++
        worker.continue()
      }
      const alive = await Promise.race([all, delay(askEvery)])
      if (alive) return alive
    }
  }

  #logOf(name: string): string {
    return path.join(this.#dir, `${name}.log`)
  }
}
