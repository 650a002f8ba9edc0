import test from 'ava'
import type { Context } from 'koa'
import { createGate } from '../support/gate.js'
import { startStory } from '../support/story.js'

interface Shop {
  items: { name: string; count: number }[]
  seen: Set<string>
  prices: Map<string, number>
  since: Date
  bytes: Buffer
}

const set = (ctx: Context) =>
  ctx.session.set('shop', {
    items: [{ name: 'tea', count: 1 }],
    seen: new Set(['tea']),
    prices: new Map([['tea', 3]]),
    since: new Date(0),
    bytes: Buffer.from('abc')
  } satisfies Shop)

const changes: Record<string, (shop: Shop) => unknown> = {
  'a pushed item': (shop) => shop.items.push({ name: 'milk', count: 1 }),
  'a counted item': (shop) => shop.items[0]!.count++,
  'a deleted member': (shop) => delete (shop as Partial<Shop>).items,
  'a new Set member': (shop) => shop.seen.add('milk'),
  'a new Map entry': (shop) => shop.prices.set('milk', 1),
  'a moved Date': (shop) => shop.since.setFullYear(2000),
  'a changed byte': (shop) => (shop.bytes[0] = 0)
}

for (const [what, change] of Object.entries(changes)) {
  test(`${what} in place is found and saved`, async (t) => {
    let expected: unknown
    let got: unknown
    const { client } = await startStory(t, {
      '/set': set,
      '/change': (ctx) => {
        change(ctx.session.get('shop') as Shop)
        expected = structuredClone({ ...(ctx.session.get('shop') as Shop), bytes: undefined })
        t.true(ctx.session.modified)
      },
      '/get': (ctx) => void (got = ctx.session.get('shop'))
    })
    await client.get('/set')
    t.is((await client.get('/change')).status, 204)
    await client.get('/get')
    t.deepEqual({ ...(got as Shop), bytes: undefined }, expected)
    if (what === 'a changed byte') t.is((got as Shop).bytes[0], 0)
  })
}

test('a change in place of a value that was set in this request is saved, also after save()', async (t) => {
  const { client, record } = await startStory(t, {
    '/': async (ctx) => {
      const cart: string[] = []
      ctx.session.set('cart', cart)
      cart.push('tea')
      await ctx.session.save()
      cart.push('milk')
    }
  })
  await client.get('/')
  t.deepEqual((await record())?.data, { cart: ['tea', 'milk'] })
})

test('a change in place after regenerate() is saved', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': (ctx) => ctx.session.set('cart', ['tea']),
    '/': async (ctx) => {
      const cart = ctx.session.get('cart') as string[]
      await ctx.session.regenerate()
      cart.push('milk')
    }
  })
  await client.get('/set')
  await client.get('/')
  t.deepEqual((await record())?.data, { cart: ['tea', 'milk'] })
})

test('a value that was read and not changed is not written, so another request\'s change of it stays', async (t) => {
  const gate = createGate()
  const { client, record } = await startStory(t, {
    '/set': (ctx) => ctx.session.update({ cart: ['tea'], user: 'momo' }),
    '/slow': async (ctx) => {
      void ctx.session.get('cart')
      ctx.session.user = 'lin'
      await gate.pass()
    },
    '/fast': (ctx) => void (ctx.session.get('cart') as string[]).push('milk')
  })
  await client.get('/set')
  const slow = client.get('/slow')
  await gate.reached()
  await client.get('/fast')
  gate.open()
  await slow
  t.deepEqual((await record())?.data, { cart: ['tea', 'milk'], user: 'lin' })
})

test('a handler that changes its object after the request changes neither the store nor another request', async (t) => {
  let kept: string[] = []
  const { client } = await startStory(t, {
    '/set': (ctx) => ctx.session.set('cart', (kept = ['tea'])),
    '/': (ctx) => {
      const cart = ctx.session.get('cart')
      return { cart }
    }
  })
  await client.get('/set')
  kept.push('late')
  t.deepEqual((await client.get('/')).json, { cart: ['tea'] })
})
