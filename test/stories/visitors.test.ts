import test from 'ava'
import { inspect } from 'node:util'
import { hour, startStory, type Handler } from '../support/story.js'

const readings: Record<string, Handler> = {
  'is not looked at': () => 'hello',
  'has a key read': (ctx) => String(ctx.session.user),
  'is asked with get': (ctx) => String(ctx.session.get('user', 'nobody')),
  'is asked with has': (ctx) => String(ctx.session.has('user')),
  'is asked with in': (ctx) => String('user' in ctx.session),
  'is listed': (ctx) => String(Object.keys(ctx.session).length),
  'is spread': (ctx) => ({ ...ctx.session }),
  'is printed': (ctx) => inspect(ctx.session),
  'is turned into JSON': (ctx) => JSON.stringify(ctx.session),
  'is popped from': (ctx) => String(ctx.session.pop('user', 1)),
  'has an absent key deleted': (ctx) => String(delete ctx.session['user']),
  'is cleared': (ctx) => {
    ctx.session.clear()
  },
  'is destroyed': async (ctx) => {
    await ctx.session.destroy()
  },
  'is saved': async (ctx) => {
    await ctx.session.save()
  },
  'is regenerated': async (ctx) => {
    await ctx.session.regenerate()
  },
  'is set to null': (ctx) => {
    ctx.session = null
  },
  'is asked for its members': (ctx) => {
    const { isNew, modified, accessed, permanent } = ctx.session
    return { isNew, modified, accessed, permanent }
  },
  'gets a key that is deleted again': (ctx) => {
    ctx.session.user = 'momo'
    delete ctx.session.user
  }
}

for (const [what, handler] of Object.entries(readings)) {
  test(`nothing is stored and no cookie is sent for a visitor whose session ${what}`, async (t) => {
    const { client, store } = await startStory(t, { '/': handler })
    const { status, setCookie } = await client.get('/')
    t.true(status < 300)
    t.deepEqual(setCookie, [])
    t.is(store.said, '')
  })
}

test('a stored session that is not looked at is one read, and nothing is written or sent however long ago it was refreshed', async (t) => {
  const { client, store, time } = await startStory(
    t,
    { '/set': (ctx) => void (ctx.session.user = 'momo'), '/': () => 'hello' },
    { permanent: true }
  )
  await client.get('/set')
  store.calls.length = 0
  time.pass(hour)
  const { setCookie, headers } = await client.get('/')
  t.is(store.said, 'read')
  t.deepEqual(setCookie, [])
  t.is(headers.vary, undefined)
})
