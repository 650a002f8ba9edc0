/** What one process knows about a record while it has calls for it in line. */
export interface Turn {
  /** The text that the call before wrote: the next one need not read, and does not lose a round to its own process. */
  last: string | undefined
}

/** Calls for one id one after another, so that a process contends with others once and not with itself. */
export interface Queue {
  run<T>(id: string, task: (turn: Turn) => Promise<T>): Promise<T>
}

export function createQueue(): Queue {
  const lines = new Map<string, { turn: Turn; waiting: (() => void)[] }>()

  function leave(id: string): void {
    const next = lines.get(id)!.waiting.shift()
    if (next) next()
    else lines.delete(id)
  }

  return {
    async run(id, task) {
      let line = lines.get(id)
      if (line) {
        const { waiting } = line
        await new Promise<void>((resolve) => waiting.push(resolve))
      } else {
        line = { turn: { last: undefined }, waiting: [] }
        lines.set(id, line)
      }
      try {
        return await task(line.turn)
      } finally {
        leave(id)
      }
    }
  }
}
