/** A request as the page draws it. Times are in milliseconds since the first one. */
export interface Bar {
  label: string
  from: number
  to: number
  /** `lost`: what it did is gone. `ended`: it was dropped, because its session had ended. */
  fate: 'kept' | 'lost' | 'ended'
}

/** The result of one library, for one kind of traffic. */
export interface Outcome {
  bars: Bar[]
  /** The session's data afterwards, as the server has it. */
  left: Record<string, unknown>
}

export function lostOf({ bars }: Outcome): number {
  return bars.filter(({ fate }) => fate === 'lost').length
}
