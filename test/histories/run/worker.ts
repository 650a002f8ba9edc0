import { subscribe } from 'node:diagnostics_channel'
import { channelName, type SessionEvent } from '../../../src/events.js'
import { defaultScope, type SessionStore } from '../../../src/store/index.js'
import { monotonicTime, timeAt, type Clock } from '../model/history.js'
import { openStore, type StoreSpec } from '../stages/open.js'
import type { Access } from './client.js'
import { FileRecorder } from './recorder.js'
import { finishRound, playRound, type Order, type Planned } from './round.js'
import { SelfHarm, type Harm } from './self-harm.js'

/*
 * A process that makes operations. `worker.ts <name>`: the name is the beginning of the ids of its operations, and no other process has it.
 */

/** What a worker is told by messages. It answers each with `done`. */
export type Task =
  | { readonly task: 'open'; readonly spec: StoreSpec; readonly prefix: string; readonly log: string; readonly clocks: readonly (readonly [number, Clock])[] }
  | { readonly task: 'play'; readonly order: Order; readonly harm?: Harm }
  | { readonly task: 'finish'; readonly sessions: readonly Planned[] }
  | { readonly task: 'close' }

/** `reached`: the moment of a harm of the kind `report` has come. */
export type Report = 'done' | 'reached' | { readonly failed: string }

const [, , name = ''] = process.argv
const harming = new SelfHarm(() => report('reached'))
let opened: { store: SessionStore; accesses: Access[]; recorder: FileRecorder } | undefined
let operations = 0

process.on('disconnect', () => process.exit())
process.on('message', (task: Task) => {
  run(task).then(() => report('done'), (error: unknown) => report({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) }))
})
subscribe(channelName, (event) => {
  const { type, id, ...details } = event as SessionEvent
  if (type === 'corrupt' || type === 'evict') opened?.recorder.event(type, id, 'reason' in details ? details.reason : undefined)
})

async function run(task: Task): Promise<void> {
  if (task.task === 'open') {
    const store = await openStore(task.spec)
    const accesses = task.clocks.map(([clockIndex, clock]): Access => {
      const now = (): number => timeAt(clock, monotonicTime())
      return { store: store.scope!({ ...defaultScope, prefix: task.prefix, now }), clock, clockIndex }
    })
    opened = { store, accesses, recorder: new FileRecorder(task.log) }
    return
  }
  const { store: present, accesses, recorder } = opened!
  if (task.task === 'close') {
    await present.close?.()
    recorder.close()
    return
  }
  if (task.task === 'finish') return finishRound(task.sessions, accesses[0]!, recorder, nextId)
  harming.plan(task.harm)
  await playRound(task.order, accesses, recorder, nextId, () => harming.operation())
  harming.plan(undefined)
}

function nextId(): string {
  return `${name}.${(operations++).toString(36)}`
}

function report(message: Report): void {
  process.send!(message)
}
