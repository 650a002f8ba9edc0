import { shortId } from './text.js'

/** The outcome of copying one session. */
export type Outcome = 'copied' | 'updated' | 'unchanged' | 'kept' | 'removed'

const meanings: { readonly [Name in Outcome]: string } = {
  copied: 'new in the target',
  updated: 'changed in the source since an earlier copy',
  unchanged: 'copied before, and the same',
  kept: "changed by the target's application since an earlier copy",
  removed: 'removed from the target, because the source no longer has them'
}

/** How many sessions that were left out the command names. */
const mostNamed = 10

/** Counts what became of each session, and collects those that were left out. */
export class Counts {
  readonly #counts = new Map<Outcome, number>()
  readonly #leftOut: { readonly id: string; readonly reason: string }[] = []
  #leftOutCount = 0

  add(outcome: Outcome): void {
    this.#counts.set(outcome, this.count(outcome) + 1)
  }

  leaveOut(id: string, reason: string): void {
    this.#leftOutCount++
    if (this.#leftOut.length < mostNamed) this.#leftOut.push({ id, reason })
  }

  count(outcome: Outcome): number {
    return this.#counts.get(outcome) ?? 0
  }

  get leftOut(): number {
    return this.#leftOutCount
  }

  /** The counts as lines. @param removes whether sessions may have been removed. */
  summary(removes: boolean): string {
    const names = (Object.keys(meanings) as Outcome[]).filter((name) => name !== 'removed' || removes)
    const lines = names.map((name) => line(name, this.count(name), meanings[name]))
    return [...lines, line('left out', this.#leftOutCount, this.#leftOutCount === 0 ? 'none' : 'see above')].join('\n')
  }

  /** The sessions that were left out, each with the reason, as lines. */
  problems(): string {
    const lines = this.#leftOut.map(({ id, reason }) => `left out ${id.slice(0, shortId)}: ${reason}`)
    const more = this.#leftOutCount - this.#leftOut.length
    return [...lines, ...(more > 0 ? [`… and ${more} more`] : [])].join('\n')
  }
}

function line(name: string, count: number, meaning: string): string {
  return `${name.padEnd(9)} ${String(count).padStart(9)}  ${meaning}`
}
