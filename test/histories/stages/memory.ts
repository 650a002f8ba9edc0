import type { StageMaker } from './stage.js'

/** Two scopes with clocks of their own in one process, and evictions. */
export const memory: StageMaker = {
  name: 'memory',
  processes: [1],
  start: async () => ({
    stage: { name: 'memory', spec: () => ({ store: 'memory', maxSessions: 30, sweepEvery: 5 }), evicts: true, visitors: 0.1 },
    faults: ['none']
  })
}
