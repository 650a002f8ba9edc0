import type { Operation } from './history.js'
import type { Violation } from './violation.js'

/** The part of a history that shows a violation, for people: the operations that contradict each other, in order. */
export function excerptOf({ kind, session, message, witnesses }: Violation): string {
  const operations = [...new Set(witnesses)].toSorted((one, other) => one.began - other.began)
  const start = operations[0]?.began ?? 0
  const lines = operations.map((each) => `  ${span(each, start)}  worker ${each.worker}, clock ${each.clock}: ${describe(each)}`)
  return [`${kind}: session ${session}: ${message}`, ...lines].join('\n')
}

function span({ began, ended }: Operation, start: number): string {
  const milliseconds = (at: number): string => (at === Infinity ? '…' : ((at - start) / 1e6).toFixed(3)).padStart(9)
  return `${milliseconds(began)} to ${milliseconds(ended)} ms`
}

function describe({ id, kind, owner, outcome }: Operation): string {
  const call = `${kind} ${id}${owner === undefined ? '' : ` (owner ${owner})`}`
  if (!outcome) return `${call}: no answer, its process was killed`
  switch (outcome.type) {
    case 'failed':
      return `${call}: failed (${outcome.reason})`
    case 'record': {
      const { rev, operations, write, flaw } = outcome.seen
      return `${call}: revision ${rev} by ${operations.slice(operations.lastIndexOf(' ') + 1)}, mark ${write}${flaw === undefined ? '' : `, ${flaw}`}`
    }
    case 'listed':
      return `${call}: ${outcome.sessions.map(([name, { rev }]) => `${name} at revision ${rev}`).join(', ') || 'nothing'}`
    default:
      return `${call}: ${outcome.type}`
  }
}
