import test from 'ava'
import { SessionError } from '../../src/errors.js'
import { defaultScope, type SessionStore } from '../../src/store/index.js'
import { Pruning } from '../../src/store/pruning.js'
import { recordEvents } from '../support/events.js'
import { newRecord } from './new-record.js'
import { TextDatabase } from './text-backend.js'

// The timers of a store do not keep the process alive.
const alive = setInterval(() => undefined, 10_000)
test.after.always(() => clearInterval(alive))

/** A store that prunes each millisecond, and a promise of its first `count` runs. */
function pruning(count: number, prune: (run: number) => Promise<number>): { store: SessionStore; runs: Promise<unknown>; prefixes: Set<string> } {
  const database = new TextDatabase()
  const prefixes = new Set<string>()
  let run = 0
  let done!: (value: unknown) => void
  const runs = new Promise((resolve) => (done = resolve))
  const store = database.store({
    pruneEvery: 1,
    backend: (scope) => ({
      ...database.backend(scope),
      prune: async () => {
        prefixes.add(scope.prefix)
        if (++run === count) done(undefined)
        return prune(run)
      }
    })
  })
  return { store, runs, prefixes }
}

async function createOne(store: SessionStore): Promise<void> {
  const record = newRecord()
  await store.create(record.id, record)
}

test('a store prunes a scope from its first creation on, and no scope that nobody uses', async (t) => {
  const { store, runs, prefixes } = pruning(3, async () => 0)
  await createOne(store.scope!({ ...defaultScope, prefix: 'used:' }))
  await runs
  t.deepEqual([...prefixes], ['used:'])
  await store.close!()
})

test('pruning that fails is an event, and is tried again at the next interval', async (t) => {
  const events = recordEvents(t)
  const cause = new Error('locked')
  const { store, runs } = pruning(3, async (run) => {
    if (run === 1) throw cause
    return 0
  })
  await createOne(store)
  await runs
  const errors = events.flatMap((event) => (event.type === 'store-error' ? [event.error] : []))
  t.true(errors[0] instanceof SessionError)
  t.like(errors[0], { message: 'the session store failed to remove expired sessions: locked', cause })
  await store.close!()
})

test('pruning does not start while another run is in progress, and close() waits for it', async (t) => {
  let parallel = 0
  let most = 0
  let ended = 0
  const { store, runs } = pruning(2, async () => {
    most = Math.max(most, ++parallel)
    await new Promise((resolve) => setTimeout(resolve, 20))
    parallel--
    ended++
    return 0
  })
  await createOne(store)
  await runs
  await store.close!()
  t.is(most, 1)
  t.is(ended, 2)
  t.is(parallel, 0)
})

test.serial('no timer is started without an interval, where the backend expires records by itself, or after close()', async (t) => {
  const real = globalThis.setInterval
  t.teardown(() => void (globalThis.setInterval = real))
  const started: (number | undefined)[] = []
  const noting = (work: () => void, delay?: number): NodeJS.Timeout => {
    started.push(delay)
    return real(work, delay)
  }
  globalThis.setInterval = noting
  const database = new TextDatabase()
  const withPrune: Parameters<TextDatabase['store']>[0] = { backend: (scope) => ({ ...database.backend(scope), prune: async () => 0 }) }
  for (const store of [database.store({ pruneEvery: 5000 }), database.store(withPrune), database.store({ ...withPrune, pruneEvery: 0 })]) {
    await createOne(store)
    await store.close!()
  }
  const closed = database.store({ ...withPrune, pruneEvery: 5000 })
  await closed.close!()
  await t.throwsAsync(createOne(closed))
  t.deepEqual(started, [])
  const long = new Pruning(1e12, async () => 0)
  long.begin()
  long.begin()
  long.stop()
  t.deepEqual(started, [2_147_483_647], 'a longer delay would fire at once')
})
