import test from 'ava'
import type { Context } from 'koa'
import { startStory } from '../support/story.js'

const routes = {
  '/set': (ctx: Context) => void (ctx.session.user = 'momo'),
  '/big': (ctx: Context) => ctx.session.set('big', 'ü'.repeat(Number(ctx.query['n'])))
}

test('a record larger than maxBytes is refused with an error that names the size, and the stored one stays', async (t) => {
  const { client, errors, record } = await startStory(t, routes, { maxBytes: 1000 })
  await client.get('/set')
  const before = await record()
  const { status, setCookie } = await client.get('/big?n=500')
  t.is(status, 500)
  t.deepEqual(setCookie, [])
  t.is((errors[0] as Error & { code?: string }).code, 'ERR_SESSION_TOO_LARGE')
  t.regex(errors[0]!.message, /1000/)
  t.deepEqual(await record(), before)
})

test('a new session larger than maxBytes is not made', async (t) => {
  const { client, store } = await startStory(t, routes, { maxBytes: 1000 })
  const { status, setCookie } = await client.get('/big?n=500')
  t.is(status, 500)
  t.deepEqual(setCookie, [])
  t.is(store.said, '')
})

test('maxBytes counts bytes, not characters', async (t) => {
  const { client } = await startStory(t, routes, { maxBytes: 1000 })
  t.is((await client.get('/big?n=300')).status, 204)
  t.is((await client.get('/big?n=450')).status, 500)
})

test('the default is 64 KiB', async (t) => {
  const { client } = await startStory(t, routes)
  t.is((await client.get('/big?n=30000')).status, 204)
  t.is((await client.get('/big?n=40000')).status, 500)
})

test('if the changes of two requests together exceed the limit, the second request is refused', async (t) => {
  const { client, record } = await startStory(
    t,
    {
      '/set': (ctx) => ctx.session.set('a', 1),
      '/slow': async (ctx) => {
        ctx.session.set('b', 'x'.repeat(500))
        await client.copy().get('/other')
      },
      '/other': (ctx) => ctx.session.set('c', 'x'.repeat(500))
    },
    { maxBytes: 1000 }
  )
  await client.get('/set')
  t.is((await client.get('/slow')).status, 500)
  t.deepEqual(Object.keys((await record())!.data), ['a', 'c'])
})
