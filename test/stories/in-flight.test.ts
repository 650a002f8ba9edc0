import test from 'ava'
import { PassThrough } from 'node:stream'
import { memoryStore, type MaybePromise, type SessionStore } from '../../src/index.js'
import type { Cleanup } from '../support/app.js'
import { idOf } from '../support/events.js'
import { createGate, type Gate } from '../support/gate.js'
import { hour, startStory, type Handler, type Story } from '../support/story.js'

// A handler changes the session while save() or regenerate() waits for the store, because it did not await the call or because two parts of it
// run in parallel.

const increase = (n = 0) => n + 1
const count: Handler = (ctx) => ctx.session.change('n', increase)
const push = (item: number) => (list: number[] = []) => {
  list.push(item)
  return list
}
const add = (item: number): Handler => (ctx) => push(item)(ctx.session.get('list') as number[])

for (const method of ['save', 'regenerate'] as const) {
  for (const [way, awaits] of [[`${method}() is in progress`, true], [`a ${method}() that nobody awaited is in progress`, false]] as const) {
    /** The first part before the method is called, the second while the store is at work. */
    const tell = async (t: Cleanup, before: Handler, meanwhile: Handler) => {
      const { store, gate } = gatedStore()
      const story = await startStory(
        t,
        {
          '/seed': (ctx) => ctx.session.update({ old: 1, n: 1, list: [1] }),
          '/': async (ctx) => {
            before(ctx)
            gate.current = createGate()
            const done = ctx.session[method]()
            await gate.current.reached()
            meanwhile(ctx)
            gate.current.open()
            if (awaits) await done
          }
        },
        { store }
      )
      await story.client.get('/seed')
      await story.client.get('/')
      return { ...story, data: (await story.record())?.data }
    }

    test(`a key that is set while ${way} is saved at the end`, async (t) => {
      const { data } = await tell(t, (ctx) => ctx.session.set('b', 1), (ctx) => ctx.session.set('user', 'momo'))
      t.deepEqual(data, { old: 1, n: 1, list: [1], b: 1, user: 'momo' })
    })

    test(`a key that is deleted while ${way} is gone at the end`, async (t) => {
      const { data } = await tell(t, (ctx) => ctx.session.set('b', 1), (ctx) => ctx.session.pop('old'))
      t.deepEqual(data, { n: 1, list: [1], b: 1 })
    })

    test(`clear() while ${way} also removes the keys that are being saved`, async (t) => {
      const { data, client } = await tell(t, (ctx) => ctx.session.set('b', 1), (ctx) => ctx.session.clear())
      t.is(data, undefined)
      t.is(client.cookie('session'), undefined)
    })

    test(`a change in place while ${way} is saved at the end`, async (t) => {
      const { data } = await tell(t, add(2), add(3))
      t.deepEqual(data, { old: 1, n: 1, list: [1, 2, 3] })
    })

    test(`change() while ${way} is applied once, as the change before is`, async (t) => {
      const { data } = await tell(t, count, count)
      t.deepEqual(data, { old: 1, n: 3, list: [1] })
    })

    test(`permanent and lifetime set while ${way} are saved at the end`, async (t) => {
      const { record } = await tell(t, (ctx) => ctx.session.set('b', 1), (ctx) => Object.assign(ctx.session, { permanent: true, lifetime: 5 * hour }))
      const { permanent, lifetime } = (await record())!
      t.deepEqual({ permanent, lifetime }, { permanent: true, lifetime: 5 * hour })
    })

    test(`ctx.session = null while ${way} leaves no session, and later data starts another`, async (t) => {
      const { data, client, store } = await tell(
        t,
        (ctx) => ctx.session.set('b', 1),
        (ctx) => {
          ctx.session = null
          ctx.session.set('fresh', 1)
        }
      )
      t.deepEqual(data, { fresh: 1 })
      const live = idOf(client.cookie('session')!)
      const made = new Set(store.calls.map(({ id }) => id))
      made.delete(live)
      for (const id of made) t.is(await store.peek(id), undefined)
    })
  }
}

test('ctx.session = null while save() makes a new session leaves neither record nor cookie', async (t) => {
  const { store, gate } = gatedStore()
  const { client, store: watched } = await startStory(
    t,
    {
      '/': async (ctx) => {
        ctx.session.set('user', 'momo')
        gate.current = createGate()
        const done = ctx.session.save()
        await gate.current.reached()
        ctx.session = null
        gate.current.open()
        await done
      }
    },
    { store }
  )
  const { setCookie } = await client.get('/')
  t.deepEqual(setCookie, [])
  t.is(watched.said, 'create destroy')
})

for (const method of ['save', 'regenerate'] as const) {
  test(`ctx.session = null right after a ${method}() that nobody awaits, and then data: a new session with its cookie`, async (t) => {
    const { client, record, store } = await startStory(t, {
      '/seed': (ctx) => ctx.session.set('user', 'momo'),
      '/': (ctx) => {
        ctx.session.set('tea', 1)
        void ctx.session[method]()
        ctx.session = null
        ctx.session.set('fresh', 1)
      }
    })
    await client.get('/seed')
    const old = idOf(client.cookie('session')!)
    await client.get('/')
    t.deepEqual((await record())?.data, { fresh: 1 })
    const made = store.calls.filter(({ method: called }) => called === 'create').map(({ id }) => id)
    for (const id of [old, ...made.slice(0, -1)]) t.is(await store.peek(id), undefined)
  })
}

test('a save() while the body streams, after the middleware has ended, applies no change a second time', async (t) => {
  const story = await streaming(t, (ctx) => ctx.session.change('n', increase), (ctx) => ctx.session.set('late', 1))
  t.deepEqual((await story.record())?.data, { n: 1, late: 1 })
})

test('a save() while the body streams does not undo what another request has saved since', async (t) => {
  const story = await streaming(
    t,
    (ctx) => ctx.session.update({ n: 0, user: 'mine' }),
    async (ctx, { client }) => {
      await client.get('/other')
      ctx.session.set('late', 1)
    }
  )
  t.deepEqual((await story.record())?.data, { n: 0, user: 'theirs', late: 1 })
})

test('ctx.session = null while the body streams destroys the session, even though its cookie cannot be cleared', async (t) => {
  const story = await streaming(t, (ctx) => ctx.session.set('n', 1), (ctx) => {
    ctx.session = null
  })
  t.is(await story.record(), undefined)
})

test('a save() that nobody awaits, during the save at the end of the request, applies no change twice', async (t) => {
  const { store, gate } = gatedStore()
  let late: Promise<unknown> | undefined
  const story = await startStory(
    t,
    {
      '/seed': (ctx) => ctx.session.set('n', 1),
      '/': (ctx) => {
        ctx.session.change('n', increase)
        const held = (gate.current = createGate())
        const goOn = async () => {
          await held.reached()
          late = ctx.session.save()
          held.open()
        }
        void goOn()
      }
    },
    { store }
  )
  await story.client.get('/seed')
  await story.client.get('/')
  await late
  t.deepEqual((await story.record())?.data, { n: 2 })
})

for (const [how, read] of [['', false], [' that was read before', true]] as const) {
  test(`change() with a function that works in place, on a value${how}, merges with another request's`, async (t) => {
    const story: Story = await startStory(t, {
      '/seed': (ctx) => ctx.session.set('list', [1]),
      '/': async (ctx) => {
        if (read) t.is((ctx.session.get('list') as number[]).length, 1)
        for (const item of [2, 3]) ctx.session.change('list', push(item))
        await story.client.get('/other')
      },
      '/other': (ctx) => ctx.session.change('list', push(9))
    })
    await story.client.get('/seed')
    await story.client.get('/')
    t.deepEqual((await story.record())?.data, { list: [1, 9, 2, 3] })
  })
}

/** A request that still uses and saves its session while its body is being sent. */
async function streaming(t: Cleanup, handle: Handler, later: (ctx: Parameters<Handler>[0], story: Story) => unknown): Promise<Story> {
  const sent = createGate()
  const story: Story = await startStory(t, {
    '/seed': (ctx) => ctx.session.set('n', 0),
    '/other': (ctx) => ctx.session.set('user', 'theirs'),
    '/': (ctx) => {
      handle(ctx)
      const body = new PassThrough()
      body.write('first')
      const goOn = async () => {
        await sent.pass()
        await later(ctx, story)
        await ctx.session.save()
        body.end('last')
      }
      void goOn().catch((error: Error) => body.destroy(error))
      return body
    }
  })
  await story.client.get('/seed')
  await story.client.get('/', { onHead: () => sent.open() })
  return story
}

/** A store that writes at once and answers when the gate is open. */
function gatedStore(): { store: SessionStore; gate: { current: Gate | undefined } } {
  const gate: { current: Gate | undefined } = { current: undefined }
  const wait = async <T>(working: MaybePromise<T>): Promise<T> => {
    const answer = await working
    await gate.current?.pass()
    return answer
  }
  const gated = (inner: SessionStore): SessionStore => ({
    read: (id) => inner.read(id),
    create: (id, record) => wait(inner.create(id, record)),
    update: (id, recipe, seen) => wait(inner.update(id, recipe, seen)),
    destroy: (id) => inner.destroy(id),
    scope: (scope) => gated(inner.scope!(scope))
  })
  return { store: gated(memoryStore()), gate }
}
