import test from 'ava'
import { startStory } from '../support/story.js'

test('ctx.session = {…} replaces the data of the same session', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': (ctx) => ctx.session.update({ user: 'momo', cart: [] }),
    '/': (ctx) => {
      ctx.session = { user: 'lin' }
      return { ...ctx.session }
    }
  })
  await client.get('/set')
  const { json, setCookie } = await client.get('/')
  t.deepEqual(json, { user: 'lin' })
  t.deepEqual(setCookie, [])
  t.deepEqual((await record())?.data, { user: 'lin' })
})

test('ctx.session = {…} starts a session for a visitor', async (t) => {
  const { client, record } = await startStory(t, { '/': (ctx) => void (ctx.session = { user: 'momo' }) })
  t.is((await client.get('/')).setCookie.length, 1)
  t.deepEqual((await record())?.data, { user: 'momo' })
})

test('ctx.session = {…} may hold keys named like members', async (t) => {
  const { client, record } = await startStory(t, { '/': (ctx) => void (ctx.session = { get: 1, sid: 'x' }) })
  t.is((await client.get('/')).status, 204)
  t.deepEqual((await record())?.data, { get: 1, sid: 'x' })
})

test('ctx.session = ctx.session changes nothing', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': (ctx) => ctx.session.update({ user: 'momo', cart: ['tea'] }),
    '/': (ctx) => {
      const { session } = ctx
      ctx.session = session
      t.false(ctx.session.modified)
    }
  })
  await client.get('/set')
  const before = await record()
  t.is((await client.get('/')).status, 204)
  t.deepEqual(await record(), before)
})

for (const wrong of [1, 'text', true, undefined, ['a'], () => 1]) {
  test(`ctx.session = ${String(wrong) || '[]'} (${typeof wrong}) is a TypeError that says what is expected`, async (t) => {
    const { client } = await startStory(t, {
      '/': (ctx) => {
        t.throws(() => (ctx.session = wrong as unknown as null), { instanceOf: TypeError, message: /object|null/ })
      }
    })
    t.is((await client.get('/')).status, 204)
  })
}

test('after ctx.session = null, ctx.session is an empty session that can be set again', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': (ctx) => ctx.session.update({ user: 'momo' }),
    '/': (ctx) => {
      ctx.session = null
      t.deepEqual({ ...ctx.session }, {})
      ctx.session.flash = 'good bye'
    }
  })
  await client.get('/set')
  const thief = client.copy()
  const { setCookie } = await client.get('/')
  t.is(setCookie.length, 1)
  t.not(client.cookie('session'), thief.cookie('session'))
  t.is(await record(thief), undefined)
  t.deepEqual((await record())?.data, { flash: 'good bye' })
})

test('data set after destroy() starts a new session with a new sid', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': (ctx) => ctx.session.update({ user: 'momo' }),
    '/': async (ctx) => {
      const before = ctx.session.sid
      await ctx.session.destroy()
      ctx.session.flash = 'good bye'
      t.true(ctx.session.isNew)
      t.not(ctx.session.sid, before)
    }
  })
  await client.get('/set')
  const thief = client.copy()
  const { setCookie } = await client.get('/')
  t.is(setCookie.length, 1)
  t.is(await record(thief), undefined)
  t.deepEqual((await record())?.data, { flash: 'good bye' })
  t.not(client.cookie('session'), thief.cookie('session'))
})

test('a second destroy() does nothing', async (t) => {
  const { client } = await startStory(t, {
    '/set': (ctx) => ctx.session.update({ user: 'momo' }),
    '/': async (ctx) => {
      await ctx.session.destroy()
      await ctx.session.destroy()
    }
  })
  await client.get('/set')
  t.is((await client.get('/')).setCookie.length, 1)
  t.is(client.cookie('session'), undefined)
})
