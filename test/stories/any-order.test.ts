import test from 'ava'
import { type Arbitrary, array, assert, asyncProperty, boolean, constant, constantFrom, nat, oneof, record } from 'fast-check'
import type { Context } from 'koa'
import { memoryStore, type MaybePromise, type SessionStore } from '../../src/index.js'
import { idOf } from '../support/events.js'
import { startStory } from '../support/story.js'

// A handler makes any operations on its session, in any order, awaited or not, with a store that answers late. In the end, the client's only
// session has the data that a plain object would have, and nothing else is stored.

type Data = Record<string, unknown>
type Step = { do: 'set' | 'delete' | 'change' | 'push' | 'clear' | 'assign' | 'null' | 'save' | 'regenerate'; key: string; value: number; awaits: boolean } | { do: 'wait' }

const step: Arbitrary<Step> = oneof(
  { weight: 1, arbitrary: constant<Step>({ do: 'wait' }) },
  {
    weight: 5,
    arbitrary: record({
      do: constantFrom('set', 'delete', 'change', 'push', 'clear', 'assign', 'null', 'save', 'regenerate'),
      key: constantFrom('a', 'b', 'list'),
      value: nat(9),
      awaits: boolean()
    })
  }
)

test('after any order of operations, awaited or not, the stored data is what a plain object would have', async (t) => {
  const store = lateStore()
  let seed: Data = {}
  let steps: Step[] = []
  let expected: Data = {}
  const { client, errors } = await startStory(
    t,
    {
      '/seed': (ctx) => ctx.session.update(seed),
      '/': async (ctx) => {
        expected = { ...seed }
        for (const each of steps) await take(ctx, expected, each)
      }
    },
    { store }
  )
  const arbitrarySeed = constantFrom<Data>({}, { a: 1 }, { a: 1, list: [0] })
  await assert(
    asyncProperty(arbitrarySeed, array(step, { minLength: 2, maxLength: 10 }), async (first, all) => {
      seed = first
      steps = all
      const visitor = client.copy()
      await visitor.get('/seed')
      const { status } = await visitor.get('/')
      const stored = new Map<string, Data>()
      for await (const { id, data } of store.records!()) stored.set(id, data)
      for (const id of stored.keys()) await store.destroy(id)
      const cookie = visitor.cookie('session')
      const wanted = Object.keys(expected).length > 0 ? [[cookie && idOf(cookie), expected]] : []
      t.deepEqual({ status, stored: [...stored] }, { status: 204, stored: wanted as [string, Data][] })
    }),
    { numRuns: 300 }
  )
  t.deepEqual(errors, [])
})

async function take(ctx: Context, model: Data, each: Step): Promise<void> {
  if (each.do === 'wait') await wait()
  else if (each.do === 'save' || each.do === 'regenerate') {
    const done = ctx.session[each.do]()
    if (each.awaits) await done
  } else {
    const { key, value } = each
    acts[each.do](ctx, key, value)
    models[each.do](model, key, value)
  }
}

type Act = Exclude<Step['do'], 'wait' | 'save' | 'regenerate'>

const increase = (n: unknown) => (typeof n === 'number' ? n + 1 : 1)
const acts: { [Name in Act]: (ctx: Context, key: string, value: number) => void } = {
  set: ({ session }, key, value) => void (session[key] = value),
  delete: ({ session }, key) => void delete session[key],
  change: ({ session }, key) => void session.change<unknown>(key, increase),
  push({ session }, key, value) {
    const list = session[key]
    if (Array.isArray(list)) list.push(value)
    else session[key] = [value]
  },
  clear: ({ session }) => session.clear(),
  assign: (ctx, key, value) => void (ctx.session = { [key]: value }),
  null: (ctx) => void (ctx.session = null)
}
const empty = (model: Data) => {
  for (const key of Object.keys(model)) delete model[key]
}
const models: { [Name in Act]: (model: Data, key: string, value: number) => void } = {
  set: (model, key, value) => void (model[key] = value),
  delete: (model, key) => void delete model[key],
  change: (model, key) => void (model[key] = increase(model[key])),
  push(model, key, value) {
    const list = model[key]
    model[key] = Array.isArray(list) ? [...(list as number[]), value] : [value]
  },
  clear: empty,
  assign(model, key, value) {
    empty(model)
    model[key] = value
  },
  null: empty
}

/** Waits for some turns of the event loop, so that operations can come between any two of the store's. */
async function wait(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await nextTurn()
}

const nextTurn = () => new Promise<void>((resolve) => void setImmediate(resolve))

async function late<T>(work: () => MaybePromise<T>): Promise<T> {
  await nextTurn()
  const answer = await work()
  await nextTurn()
  return answer
}

/** A store that carries out each call a turn of the event loop later, and answers another turn later. */
function lateStore(): SessionStore {
  let scoped = memoryStore()
  return {
    read: (id) => late(() => scoped.read(id)),
    create: (id, made) => late(() => scoped.create(id, made)),
    update: (id, recipe, seen) => late(() => scoped.update(id, recipe, seen)),
    destroy: (id) => late(() => scoped.destroy(id)),
    records: () => scoped.records!(),
    scope(scope) {
      scoped = scoped.scope!(scope)
      return this
    }
  }
}
