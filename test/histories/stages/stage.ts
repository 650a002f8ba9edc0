import type { Cleanup } from '../../support/app.js'
import type { Proxy } from '../../support/proxy.js'
import { until } from '../../support/redis.js'
import type { Fault, Stage, Strike } from '../run/conduct.js'

/** A store to make histories with. */
export interface StageMaker {
  /** Its name for `npm run torture -- --store`. */
  readonly name: string
  /** What is missing here, and how to install it. Absent: nothing. */
  readonly missing?: string
  /** With how many processes histories are made. */
  readonly processes: readonly number[]
  /** Starts what the store needs, which ends with the test. */
  readonly start: (t: Cleanup) => Promise<Started>
}

export interface Started {
  readonly stage: Stage
  /** What happens in the rounds, again and again in this order. */
  readonly faults: readonly Fault[]
}

/** The server is killed, and started again with what it has on disk. */
export function restart(server: { kill(): Promise<void>; start(): Promise<void> }, loses = false): Strike {
  return {
    async strike() {
      await server.kill()
      await server.start()
    },
    loses
  }
}

/** Answers are lost, and then every connection breaks. */
export function loseAnswers(network: Proxy): Strike {
  return {
    async strike() {
      network.loseAnswers()
      await until('an answer is lost', () => network.lost > 0)
      network.cut()
    }
  }
}
