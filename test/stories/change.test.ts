import test from 'ava'
import type { Context } from 'koa'
import { createGate } from '../support/gate.js'
import { startStory } from '../support/story.js'

interface Cart {
  items: string[]
}

const set = (ctx: Context) => ctx.session.set('cart', { items: ['tea'] } satisfies Cart)

/** Changes the cart with a function that relies on the stored value, and records each value that the function gets. */
function changing(values: unknown[]) {
  return (ctx: Context) =>
    void ctx.session.change('cart', (cart?: Cart) => {
      values.push(structuredClone(cart))
      return { items: [...cart!.items, 'milk'] }
    })
}

test('a function of change() gets the stored value, and runs once if no other request changes it', async (t) => {
  const values: unknown[] = []
  const { client, record } = await startStory(t, { '/set': set, '/': changing(values) })
  await client.get('/set')
  t.is((await client.get('/')).status, 204)
  t.deepEqual(values, [{ items: ['tea'] }])
  t.deepEqual((await record())?.data, { cart: { items: ['tea', 'milk'] } })
})

test('a function of change() does not run on nothing when another request has ended the session, also after a save()', async (t) => {
  const gate = createGate()
  const values: unknown[] = []
  const { client, record } = await startStory(t, {
    '/set': set,
    '/slow': async (ctx) => {
      changing(values)(ctx)
      await gate.pass()
      return { saved: await ctx.session.save() }
    },
    '/logout': async (ctx) => ctx.session.destroy()
  })
  await client.get('/set')
  const slow = client.get('/slow')
  await gate.reached()
  await client.get('/logout')
  gate.open()
  t.deepEqual((await slow).json, { saved: false })
  t.deepEqual(values, [{ items: ['tea'] }])
  t.is(await record(), undefined)
})

test('a function of change() makes a new session', async (t) => {
  const { client, record } = await startStory(t, { '/': (ctx) => void ctx.session.change('visits', (visits = 0) => visits + 1) })
  await client.get('/')
  t.deepEqual((await record())?.data, { visits: 1 })
})
