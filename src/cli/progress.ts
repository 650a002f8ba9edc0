import progress from 'cli-progress'
import type { Output } from './io.js'

/** How often a line is printed where there is no terminal, in milliseconds. */
const lineEvery = 1000

/** Progress of a long work: a bar in a terminal, and otherwise a line each second. */
export interface Progress {
  advance(): void
  stop(): void
}

/** @param total `undefined`: it is not known yet, so there is no bar. */
export function startProgress(stream: Output, total: number | undefined): Progress {
  const bar = new progress.SingleBar({
    stream,
    format: formatOf(stream, total),
    barsize: 30,
    noTTYOutput: true,
    notTTYSchedule: lineEvery,
    // To turn wrapping off would leave the terminal so after Ctrl+C.
    linewrap: true
  }, progress.Presets.shades_classic)
  bar.start(total ?? 0, 0)
  return {
    advance: () => bar.increment(),
    stop: () => bar.stop()
  }
}

function formatOf({ isTTY }: Output, total: number | undefined): string {
  if (total === undefined) return 'looked at {value} sessions, {duration_formatted}'
  return isTTY ? '{bar} {percentage}% | {value} of {total} | {eta_formatted}' : '{value} of {total} sessions, {duration_formatted}'
}
