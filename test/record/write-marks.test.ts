import test from 'ava'
import * as fc from 'fast-check'
import { createMark, createWriter, isSameCreation, isSameVersion, markOf, wasCreated, type Version, type Writer } from '../../src/record/index.js'

/** A state of a record, and all the writes that led to it. */
interface State extends Version {
  readonly lineage: readonly Version[]
}

/** A command as a driver sends it: a compare-and-swap from one state to another. */
interface Command {
  readonly from: Version
  readonly to: Version
}

/** A backend with one record. It compares revision and `write`, and can go back to an earlier state, as after a failover. */
class Backend {
  readonly history: State[]

  constructor() {
    this.history = [{ rev: 1, write: createMark(), lineage: [] }]
  }

  get stored(): State {
    return this.history.at(-1)!
  }

  apply({ from, to }: Command): boolean {
    if (!isSameVersion(this.stored, from)) return false
    this.history.push({ ...to, lineage: [...this.stored.lineage, to] })
    return true
  }

  failOver(states: number): void {
    this.history.push(this.history[Math.max(0, this.history.length - 1 - states)]!)
  }
}

/** A process that makes one write after another, and tries each again until it is applied or its answer is lost. */
class Process {
  readonly writer: Writer = createWriter()
  /** The newest state that it knows. */
  known: Version
  tried: Command | undefined

  constructor(known: Version) {
    this.known = known
  }

  prepare(updates: number): Command {
    this.tried = { from: this.known, to: { rev: this.known.rev + updates, write: this.writer.next(this.known.write) } }
    return this.tried
  }
}

type Step =
  /** Several updates are made as one: the revision grows by more than 1. */
  | { kind: 'write' | 'twice' | 'lost' | 'late'; by: number; updates: number }
  /** Others write between the two arrivals of a command. */
  | { kind: 'others'; by: number; count: number; each: number }
  | { kind: 'failover'; states: number }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('write' as const, 'twice' as const, 'lost' as const, 'late' as const), by: fc.nat({ max: 11 }), updates: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('others' as const), by: fc.nat({ max: 11 }), count: fc.nat({ max: 11 }), each: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('failover' as const), states: fc.integer({ min: 1, max: 5 }) }) }
  ),
  { maxLength: 40 }
)

test('for any sequence of writes, repeated commands and failovers, wasApplied() is right or says that it cannot know', (t) => {
  const answers = { true: 0, false: 0, undefined: 0 }
  fc.assert(
    fc.property(steps, (all) => {
      const backend = new Backend()
      const processes = Array.from({ length: 12 }, () => new Process(backend.stored))
      const inFlight: Command[] = []
      const hasFailedOver = all.some(({ kind }) => kind === 'failover')

      /** After a conflict, the process reads the stored state and asks `wasApplied`. */
      function ask(process: Process, { from, to }: Command): void {
        const { stored } = backend
        const answer = process.writer.wasApplied(to, stored)
        answers[String(answer) as keyof typeof answers]++
        const writersSince = new Set(stored.lineage.filter(({ rev }) => rev > from.rev).map((each) => markOf(each).split('-')[0]))
        // Seven and not eight: the last mark of a full list is not on the list of the write that met it.
        if (answer === undefined) t.true(writersSince.size >= 7 || hasFailedOver, 'only after many other writers')
        else t.is(answer, stored.lineage.some((each) => markOf(each) === markOf(to)))
        process.known = stored
      }

      function write(process: Process, updates: number): void {
        const command = process.prepare(updates)
        if (backend.apply(command)) process.known = command.to
        else ask(process, command)
      }

      for (const step of all) {
        if (step.kind === 'failover') {
          backend.failOver(step.states)
          continue
        }
        const process = processes[step.by]!
        if (step.kind === 'others') {
          const command = process.prepare(1)
          backend.apply(command)
          const others = processes.filter((each) => each !== process).slice(0, step.count)
          for (let time = 0; time < step.each; time++) {
            for (const other of others) {
              other.known = backend.stored
              write(other, 1)
            }
          }
          if (backend.apply(command)) process.known = command.to
          else ask(process, command)
          continue
        }
        if (step.kind === 'write') {
          write(process, step.updates)
          continue
        }
        const command = process.prepare(step.updates)
        if (step.kind === 'late') {
          // The request failed, and the command arrives later.
          inFlight.push(command)
        } else {
          backend.apply(command)
          for (const late of inFlight.splice(0)) backend.apply(late)
          // The answer to the second arrival is a conflict, or is lost as well.
          if (step.kind === 'twice') ask(process, command)
          else process.known = backend.stored
        }
      }
    }),
    { numRuns: 3000 }
  )
  for (const [answer, times] of Object.entries(answers)) t.true(times > 100, `${answer}: ${times}`)
})

test('every mark is new, and the first of the list names the write that made the state', (t) => {
  const writers = Array.from({ length: 5 }, () => createWriter())
  const seen = new Set<string>()
  let write = createMark()
  for (let at = 0; at < 500; at++) {
    write = writers[(at * 7) % 5]!.next(write)
    seen.add(markOf({ write }))
    t.regex(write, /^[0-9a-z]{10,}-[0-9a-z]+( [0-9a-z]{10,}-[0-9a-z]+){0,7} [0-9a-z]{10,}$/)
  }
  for (let at = 0; at < 500; at++) seen.add(createMark())
  t.is(seen.size, 1000)
})

test('write names the eight latest writers, each once, and the creation for ever', (t) => {
  const writers = Array.from({ length: 12 }, () => createWriter())
  const created = createMark()
  let write = created
  const order: string[] = []
  for (const at of [0, 1, 2, 1, 3, 4, 5, 6, 7, 8, 9, 1]) {
    write = writers[at]!.next(write)
    order.push(markOf({ write }))
    t.is(write.split(' ').at(-1), created)
  }
  // Writer 1 wrote three times, so its first two marks are not kept; those of 0 and 2 were pushed out.
  t.deepEqual(write.split(' '), [...[11, 10, 9, 8, 7, 6, 5, 4].map((at) => order[at]!), created])
  t.true(writers[1]!.wasApplied({ rev: 13, write }, { rev: 13, write }))
  t.is(writers[11]!.wasApplied({ rev: 2, write: writers[11]!.next(created) }, { rev: 13, write }), undefined)
  t.false(writers[11]!.wasApplied({ rev: 13, write: writers[11]!.next(created) }, { rev: 13, write }))
})

test('wasCreated() is right after any number of writes, and states of different creations are told apart', (t) => {
  const [created, other] = [createMark(), createMark()]
  const tried = { rev: 1, write: created }
  let [write, foreign] = [created, other]
  for (let at = 0; at < 30; at++) {
    t.true(wasCreated(tried, { write }))
    t.false(wasCreated(tried, { write: foreign }))
    t.true(isSameCreation(tried, { write }))
    t.false(isSameCreation({ write }, { write: foreign }))
    const writer = createWriter()
    write = writer.next(write)
    foreign = writer.next(foreign)
  }
})

test('two states are the same only if both the revision and the write are', (t) => {
  t.true(isSameVersion({ rev: 7, write: 'a' }, { rev: 7, write: 'a' }))
  t.false(isSameVersion({ rev: 7, write: 'a' }, { rev: 7, write: 'b' }))
  t.false(isSameVersion({ rev: 7, write: 'a' }, { rev: 8, write: 'a' }))
})
