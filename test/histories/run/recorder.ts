import fs from 'node:fs'
import { monotonicTime, type Call, type Operation, type Outcome } from '../model/history.js'

/** Where operations are written down: when they begin, and when they end. */
export interface Recorder {
  begin(call: Call): void
  end(id: string, outcome: Outcome): void
  /** The store published an event. */
  event(type: string, id: string, reason?: string): void
}

/** What a history is made of. */
export interface Recorded {
  readonly operations: readonly Operation[]
  readonly corrupt: readonly { readonly id: string; readonly reason: string }[]
  /** How many live sessions were evicted. */
  readonly evicted: number
}

type Line =
  | { readonly call: Call }
  | { readonly end: string; readonly at: number; readonly outcome: Outcome }
  | { readonly event: string; readonly id: string; readonly reason?: string }

/** Writes to a file at once, so that the beginning of an operation is there when its process is killed. */
export class FileRecorder implements Recorder {
  readonly #fd: number

  constructor(path: string) {
    this.#fd = fs.openSync(path, 'a')
  }

  begin(call: Call): void {
    this.#write({ call })
  }

  end(id: string, outcome: Outcome): void {
    this.#write({ end: id, at: monotonicTime(), outcome })
  }

  event(event: string, id: string, reason?: string): void {
    this.#write({ event, id, ...(reason !== undefined && { reason }) })
  }

  close(): void {
    fs.closeSync(this.#fd)
  }

  #write(line: Line): void {
    fs.writeSync(this.#fd, `${JSON.stringify(line)}\n`)
  }
}

/** Keeps what it is given, for a store in this process. */
export class MemoryRecorder implements Recorder {
  readonly #lines: Line[] = []
  readonly #worker: string

  constructor(worker: string) {
    this.#worker = worker
  }

  begin(call: Call): void {
    this.#lines.push({ call })
  }

  end(id: string, outcome: Outcome): void {
    this.#lines.push({ end: id, at: monotonicTime(), outcome })
  }

  event(event: string, id: string, reason?: string): void {
    this.#lines.push({ event, id, ...(reason !== undefined && { reason }) })
  }

  recorded(): Recorded {
    return assemble(this.#lines, this.#worker)
  }
}

/** Reads what a process has recorded. Its last line may be incomplete when it was killed. */
export function readRecorded(path: string, worker: string): Recorded {
  const lines = fs.readFileSync(path, 'utf8').split('\n').slice(0, -1)
  return assemble(lines.map((line) => JSON.parse(line) as Line), worker)
}

function assemble(lines: readonly Line[], worker: string): Recorded {
  const operations = new Map<string, Operation>()
  const events: Extract<Line, { event: string }>[] = []
  for (const line of lines) {
    if ('call' in line) operations.set(line.call.id, { ...line.call, worker, ended: Infinity })
    else if ('event' in line) events.push(line)
    else {
      const { end, at, outcome } = line
      const call = operations.get(end)!
      // Nobody knows when a call that failed took effect, if it did.
      operations.set(end, { ...call, outcome, ended: outcome.type === 'failed' ? Infinity : at })
    }
  }
  return {
    operations: [...operations.values()],
    corrupt: events.filter(({ event }) => event === 'corrupt').map(({ id, reason = '' }) => ({ id, reason })),
    evicted: events.filter(({ event }) => event === 'evict').length
  }
}
