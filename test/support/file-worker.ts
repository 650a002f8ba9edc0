import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import type { SessionRecord } from '../../src/store.js'
import { fileStore, type FileStoreOptions } from '../../src/stores/file.js'
import type { Order } from './file-workers.js'

// Started by file-workers.ts with the store's options; answers by messages.
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
      await Promise.all(Array.from({ length: order.times }, () => store.update(order.id, counting(order.key))))
      return tell('done')
    case 'race':
      return race(order.ids, order.destroys)
    case 'fill': {
      const made = Array.from({ length: order.records }, () => newRecord(order.lifetime))
      await Promise.all(made.map((record) => store.create(record.id, record)))
      return tell('done')
    }
    case 'stop':
      return stop(order)
    case 'rush': {
      const results = await Promise.allSettled(Array.from({ length: order.reads }, () => store.read(order.id)))
      const failed = results.find((result) => result.status === 'rejected')
      const again = await store.read(order.id)
      return tell({ ...outcomeOf(failed), found: results.filter((result) => result.status === 'fulfilled' && result.value).length, again: again?.rev })
    }
    case 'one': {
      const record = { ...newRecord(60_000), id: order.id }
      const [result] = await Promise.allSettled([
        order.method === 'create'
          ? store.create(order.id, record)
          : order.method === 'update'
            ? store.update(order.id, counting('one'))
            : store[order.method](order.id)
      ])
      return tell(outcomeOf(result))
    }
  }
}

/** Makes, changes and removes sessions until it is killed, and tells of each thing once it was acknowledged. */
async function churn(worker: string, ids: readonly string[]): Promise<void> {
  const loops = ids.map(async (id) => {
    for (;;) {
      const written = await store.update(id, counting(worker))
      if (written) tell({ id, count: written.data[worker] })
    }
  })
  const comings = (async () => {
    for (;;) {
      const record = newRecord(3_600_000)
      await store.create(record.id, record)
      tell({ created: record.id })
      await store.update(record.id, counting('padding'))
      await store.destroy(record.id)
      tell({ destroyed: record.id })
    }
  })()
  await Promise.all([...loops, comings])
}

/** Updates each session, or removes it, all at once; answers what came of each. */
async function race(ids: readonly string[], destroys: boolean): Promise<void> {
  const answers = await Promise.all(ids.map((id) => (destroys ? store.destroy(id) : store.update(id, counting(String(process.pid))))))
  tell(answers.map((answer) => answer?.rev ?? 0))
}

/** Stops itself by SIGSTOP right before the n-th call of a kind, and answers when it was continued. */
async function stop({ before, nth = 1, id, method }: Extract<Order, { task: 'stop' }>): Promise<void> {
  const calls = fs as unknown as Record<string, (...args: unknown[]) => void>
  const original = calls[before]!
  let number = 0
  calls[before] = (...args) => {
    if (++number === nth) process.kill(process.pid, 'SIGSTOP')
    original(...args)
  }
  const [result] = await Promise.allSettled([method === 'update' ? store.update(id, counting('stopped')) : store.destroy(id)])
  tell(outcomeOf(result))
}

function counting(key: string): (current: SessionRecord) => SessionRecord {
  return (current) => ({ ...current, data: { ...current.data, [key]: ((current.data[key] as number | undefined) ?? 0) + 1 } })
}

function newRecord(lifetime: number): SessionRecord {
  const now = Date.now()
  // Long enough that half of it would be seen.
  const data = { padding: 0, text: 'x'.repeat(3000) }
  return { rev: 1, id: randomBytes(32).toString('hex'), created: now, expires: now + lifetime, permanent: false, data }
}

function outcomeOf(result: PromiseSettledResult<unknown> | undefined): object {
  if (result?.status !== 'rejected') return { value: result?.value ?? null }
  const { code, message } = result.reason as NodeJS.ErrnoException
  return { code, message }
}

function tell(message: unknown): void {
  process.send!(message)
}
