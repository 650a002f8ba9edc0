import { setImmediate } from 'node:timers/promises'
import test from 'ava'
import { SessionQueue, type Job, type QueuedSession } from '../../src/store/session-queue.js'
import { newRecord } from './new-record.js'

const record = newRecord()
const recipe = () => record

/** A queue that notes how many updates it is given at once, and answers as many of them as `answers` says. */
function createQueue(answers: (jobs: readonly Job[]) => number = (jobs) => jobs.length) {
  const order: string[] = []
  const sessions = new Set<QueuedSession>()
  const queue = new SessionQueue(async (id, queued, jobs) => {
    sessions.add(queued)
    order.push(`${id}${jobs.length}`)
    await setImmediate()
    const answered = answers(jobs)
    for (const job of jobs.slice(0, answered)) job.resolve(record)
    return answered
  })
  const task = (id: string) => queue.run(id, async (queued) => {
    sessions.add(queued)
    order.push(`${id}task`)
    await setImmediate()
    return order.length
  })
  return { queue, order, sessions, task, update: async (id: string) => queue.update(id, recipe, undefined) }
}

test('updates that gather behind a call are given to the work together', async (t) => {
  const { order, update } = createQueue()
  await Promise.all(['a', 'a', 'a', 'b', 'a'].map(update))
  t.deepEqual(order, ['a1', 'b1', 'a3'])
})

test('at most a hundred updates are made as one', async (t) => {
  const { order, update } = createQueue()
  await Promise.all(Array.from({ length: 251 }, async () => update('a')))
  t.deepEqual(order, ['a1', 'a100', 'a100', 'a50'])
})

test('updates that the work leaves unanswered are given to it again, before those that came later', async (t) => {
  const { order, update, task } = createQueue((jobs) => Math.min(jobs.length, 2))
  await Promise.all([...[1, 2, 3, 4, 5].map(async () => update('a')), task('a'), update('a')])
  t.deepEqual(order, ['a1', 'a4', 'a2', 'atask', 'a1'])
})

test('a task waits for the updates before it, and those behind it wait for the task', async (t) => {
  const { order, update, task } = createQueue()
  await Promise.all([update('a'), update('a'), task('a'), update('a'), update('a'), task('a')])
  t.deepEqual(order, ['a1', 'a1', 'atask', 'a2', 'atask'])
})

test('a task that fails rejects its own call only', async (t) => {
  const { queue, order, update } = createQueue()
  const mistake = new Error('a task')
  const failing = queue.run('a', async () => {
    throw mistake
  })
  const next = update('a')
  t.is(await t.throwsAsync(failing), mistake)
  t.is(await next, record)
  t.deepEqual(order, ['a1'])
})

test('calls of one session share what they know, and nothing of it is kept when the last has ended', async (t) => {
  const { sessions, update, task } = createQueue()
  await Promise.all([update('a'), task('a'), update('a')])
  t.is(sessions.size, 1)
  await update('a')
  t.is(sessions.size, 2)
  await Promise.all([update('a'), update('b')])
  t.is(sessions.size, 4)
})
