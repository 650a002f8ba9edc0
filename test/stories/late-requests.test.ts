import test from 'ava'
import type { Context } from 'koa'
import { recordEvents } from '../support/events.js'
import { createGate } from '../support/gate.js'
import { minute, startStory } from '../support/story.js'
import { recordWarnings } from '../support/warnings.js'

const add = (ctx: Context) => void ctx.session.change('cart', (cart: string[] = []) => [...cart, 'tea'])

test('a session that was live when the request arrived is live for that request, however long it takes', async (t) => {
  const gate = createGate()
  const { client, time, record } = await startStory(
    t,
    {
      '/add': add,
      '/slow': async (ctx) => {
        await gate.pass()
        ctx.session.set('done', true)
      }
    },
    { lifetime: 30 * minute }
  )
  await client.get('/add')
  time.pass(29.5 * minute)
  const slow = client.get('/slow')
  await gate.reached()
  time.pass(minute)
  gate.open()
  t.is((await slow).status, 204)
  t.deepEqual((await record())?.data, { cart: ['tea'], done: true })
})

test('a login form that is sent twice keeps the cart, with either answer in the browser', async (t) => {
  for (const order of [['first', 'second'], ['second', 'first']] as const) {
    const gates = { first: createGate(), second: createGate() }
    const { client, record } = await startStory(t, {
      '/add': add,
      '/login': async (ctx) => {
        void ctx.session.get('cart')
        await gates[ctx.query['n'] as 'first'].pass()
        await ctx.session.loginAs('momo')
      }
    })
    await client.get('/add')
    const answers = { first: client.get('/login?n=first'), second: client.get('/login?n=second') }
    for (const gate of Object.values(gates)) await gate.reached()
    for (const each of order) {
      gates[each].open()
      t.is((await answers[each]).status, 204)
    }
    // The browser keeps the cookie of the answer that came last.
    t.deepEqual([(await record())?.owner, (await record())?.data], ['momo', { cart: ['tea'] }])
  }
})

test('a second login with the old cookie, after the first login has ended, changes nothing', async (t) => {
  const { client, record } = await startStory(t, { '/add': add, '/login': (ctx) => ctx.session.loginAs('momo') })
  await client.get('/add')
  const again = client.copy()
  await client.get('/login')
  t.deepEqual((await again.get('/login')).setCookie, [])
  t.deepEqual([(await record())?.owner, (await record())?.data], ['momo', { cart: ['tea'] }])
})

test('a change after the end of the request is reported by an event and by one process warning with advice', async (t) => {
  const warnings = recordWarnings(t, /await next\(\)/)
  const events = recordEvents(t)
  const late: Promise<unknown>[] = []
  const { client, record } = await startStory(t, {
    '/add': add,
    '/late': (ctx) => {
      void ctx.session.get('cart')
      late.push(
        new Promise((resolve) => {
          ctx.res.on('finish', () => {
            ctx.session.set('late', 1)
            setImmediate(() => setImmediate(resolve))
          })
        })
      )
    }
  })
  await client.get('/add')
  await client.get('/late')
  await Promise.all(late)
  const { id, data } = (await record())!
  t.deepEqual(data, { cart: ['tea'] })
  t.deepEqual(events.filter((event) => event.type === 'dropped' && event.id === id), [{ type: 'dropped', id, reason: 'late' }])
  t.is(warnings.length, 1)
})

test('a change after the end of the request is not reported as late when save() follows at once', async (t) => {
  const events = recordEvents(t)
  const done: Promise<unknown>[] = []
  const { client, record } = await startStory(t, {
    '/add': add,
    '/stream': (ctx) => {
      void ctx.session.get('cart')
      done.push(
        new Promise((resolve) => {
          ctx.res.on('finish', () => {
            ctx.session.set('later', 1)
            resolve(ctx.session.save().then(() => new Promise((turn) => void setImmediate(turn))))
          })
        })
      )
    }
  })
  await client.get('/add')
  await client.get('/stream')
  await Promise.all(done)
  const { id, data } = (await record())!
  t.deepEqual(data, { cart: ['tea'], later: 1 })
  t.deepEqual(events.filter((event) => event.type === 'dropped' && event.id === id), [])
})
