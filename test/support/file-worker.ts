import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { createMark, type SessionRecord } from '../../src/record/index.js'
import { fileStore, type FileStoreOptions } from '../../src/stores/file/index.js'
import type { Method, Order } from './file-workers.js'

// file-workers.ts starts it with the store's options. It answers by messages.
const store = fileStore(JSON.parse(process.argv[2]!) as FileStoreOptions)

process.on('message', (order: Order) => {
  void run(order)
})
process.on('disconnect', () => process.exit())

async function run(order: Order): Promise<void> {
  switch (order.task) {
    case 'churn':
      return churn(order.worker, order.ids)
    case 'count':
      await Promise.all(Array.from({ length: order.times }, async () => store.update(order.id, counting(order.key))))
      return send('done')
    case 'race':
      return race(order.ids, order.destroys)
    case 'fill': {
      const made = Array.from({ length: order.records }, () => newRecord(order.lifetime))
      await Promise.all(made.map(async (record) => store.create(record.id, record)))
      return send('done')
    }
    case 'login':
      return login(order.owner)
    case 'stop':
      return stop(order)
    case 'rush': {
      const results = await Promise.allSettled(Array.from({ length: order.reads }, async () => store.read(order.id)))
      const failed = results.find((result) => result.status === 'rejected')
      const again = await store.read(order.id)
      return send({ ...outcomeOf(failed), found: results.filter((each) => each.status === 'fulfilled' && each.value).length, again: again?.rev })
    }
    case 'one': {
      const [result] = await Promise.allSettled([callOnce(order.method, order.id, 'one')])
      return send(outcomeOf(result))
    }
  }
}

function callOnce(method: Method, id: string, key: string): unknown {
  if (method === 'create') return store.create(id, { ...newRecord(3_600_000), id })
  return method === 'update' ? store.update(id, counting(key)) : store[method](id)
}

/** Makes, changes and removes sessions until it is killed, and reports each change as soon as it is acknowledged. */
async function churn(worker: string, ids: readonly string[]): Promise<void> {
  const loops = ids.map(async (id) => {
    for (;;) {
      const written = await store.update(id, counting(worker))
      if (written) send({ id, count: written.data[worker] })
    }
  })
  const comings = (async () => {
    for (;;) {
      const record = newRecord(3_600_000)
      await store.create(record.id, record)
      send({ created: record.id })
      await store.update(record.id, counting('padding'))
      await store.destroy(record.id)
      send({ destroyed: record.id })
    }
  })()
  await Promise.all([...loops, comings])
}

/** Creates sessions of an owner, gives it sessions that had none, and ends some, until it is killed. Reports what was acknowledged. */
async function login(owner: string): Promise<void> {
  for (;;) {
    const [made, given] = [{ ...newRecord(3_600_000), owner }, newRecord(3_600_000)]
    await store.create(made.id, made)
    send({ owned: made.id })
    await store.create(given.id, given)
    await store.update(given.id, (current) => ({ ...current, owner }))
    send({ owned: given.id })
    await store.update(made.id, counting('login'))
    send({ ending: given.id })
    await store.destroy(given.id)
  }
}

/** Updates or removes every session, all at once, and reports the revision of each answer. */
async function race(ids: readonly string[], destroys: boolean): Promise<void> {
  const answers = await Promise.all(ids.map(async (id) => (destroys ? store.destroy(id) : store.update(id, counting(String(process.pid))))))
  send(answers.map((answer) => answer?.rev ?? 0))
}

/** Stops itself by SIGSTOP right before the n-th call of a kind, and reports the outcome when it was continued. */
async function stop({ before, nth = 1, id, method }: Extract<Order, { task: 'stop' }>): Promise<void> {
  const calls = fs as unknown as Record<string, (...args: unknown[]) => void>
  const original = calls[before]!
  let number = 0
  calls[before] = (...args) => {
    if (++number === nth) process.kill(process.pid, 'SIGSTOP')
    original(...args)
  }
  const [result] = await Promise.allSettled([callOnce(method, id, 'stopped')])
  send(outcomeOf(result))
}

function counting(key: string): (current: SessionRecord) => SessionRecord {
  return (current) => ({ ...current, data: { ...current.data, [key]: ((current.data[key] as number | undefined) ?? 0) + 1 } })
}

function newRecord(lifetime: number): SessionRecord {
  const now = Date.now()
  // Long enough to notice if half of it were missing.
  const data = { padding: 0, text: 'x'.repeat(3000) }
  return { rev: 1, write: createMark(), id: randomBytes(32).toString('hex'), created: now, used: now, expires: now + lifetime, permanent: false, data }
}

function outcomeOf(result: PromiseSettledResult<unknown> | undefined): object {
  if (result?.status !== 'rejected') return { value: result?.value ?? null }
  const { code, message } = result.reason as NodeJS.ErrnoException
  return { code, message }
}

function send(message: unknown): void {
  process.send!(message)
}
