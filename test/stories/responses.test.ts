import test from 'ava'
import { request } from 'node:http'
import { PassThrough } from 'node:stream'
import { recordEvents } from '../support/events.js'
import { createGate } from '../support/gate.js'
import { startStory } from '../support/story.js'

test('a stream body is sent with the cookie, and the session is saved before its first byte', async (t) => {
  const { client, record } = await startStory(t, {
    '/': (ctx) => {
      ctx.session.user = 'momo'
      const body = new PassThrough()
      body.end('streamed')
      return body
    }
  })
  const { text, setCookie } = await client.get('/')
  t.is(text, 'streamed')
  t.is(setCookie.length, 1)
  t.deepEqual((await record())?.data, { user: 'momo' })
})

test('save() before flushing headers puts the cookie into them', async (t) => {
  const gate = createGate()
  const { client, record } = await startStory(t, {
    '/': async (ctx) => {
      ctx.session.user = 'momo'
      await ctx.session.save()
      ctx.status = 200
      ctx.flushHeaders()
      await gate.pass()
      return 'late'
    }
  })
  const { text, setCookie } = await client.get('/', { onHead: () => gate.open() })
  t.is(text, 'late')
  t.is(setCookie.length, 1)
  t.deepEqual((await record())?.data, { user: 'momo' })
})

test('with headers already sent, a stored session is saved, because it needs no cookie', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': (ctx) => void (ctx.session.user = 'momo'),
    '/': (ctx) => {
      void ctx.session.user
      ctx.status = 200
      ctx.flushHeaders()
      ctx.session.user = 'lin'
      return 'late'
    }
  })
  await client.get('/set')
  t.is((await client.get('/')).text, 'late')
  t.deepEqual((await record())?.data, { user: 'lin' })
})

test('with headers already sent, no new session is stored, because its client could not use it, and an event reports it', async (t) => {
  const events = recordEvents(t)
  const { client, store, errors } = await startStory(t, {
    '/': (ctx) => {
      ctx.status = 200
      ctx.flushHeaders()
      ctx.session.user = 'momo'
      return 'late'
    }
  })
  const { status, text } = await client.get('/')
  t.is(status, 200)
  t.is(text, 'late')
  t.is(store.said, '')
  t.deepEqual(errors, [])
  t.true(events.some((event) => event.type === 'dropped' && event.reason === 'headers-sent'))
})

test('with headers already sent, a logout is carried out, and the client keeps a cookie that opens nothing', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': (ctx) => void (ctx.session.user = 'momo'),
    '/': async (ctx) => {
      ctx.status = 200
      ctx.flushHeaders()
      await ctx.session.destroy()
      return 'bye'
    }
  })
  await client.get('/set')
  t.is((await client.get('/')).text, 'bye')
  t.is(await record(), undefined)
})

test('save() of a new session after headers were sent is an error that says so', async (t) => {
  const { client, store } = await startStory(t, {
    '/': async (ctx) => {
      ctx.status = 200
      ctx.flushHeaders()
      ctx.session.user = 'momo'
      await t.throwsAsync(ctx.session.save(), { code: 'ERR_SESSION_HEADERS_SENT' })
      delete ctx.session.user
      return 'done'
    }
  })
  t.is((await client.get('/')).text, 'done')
  t.is(store.said, '')
})

test('regenerate() after headers were sent is an error, and the old session stays', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': (ctx) => void (ctx.session.user = 'momo'),
    '/': async (ctx) => {
      ctx.status = 200
      ctx.flushHeaders()
      await t.throwsAsync(ctx.session.regenerate(), { code: 'ERR_SESSION_HEADERS_SENT' })
      return 'done'
    }
  })
  await client.get('/set')
  t.is((await client.get('/')).text, 'done')
  t.deepEqual((await record())?.data, { user: 'momo' })
})

test('ctx.respond = false: save() puts the cookie on the raw response', async (t) => {
  const { client, record } = await startStory(t, {
    '/': async (ctx) => {
      ctx.respond = false
      ctx.session.user = 'momo'
      await ctx.session.save()
      ctx.res.statusCode = 200
      ctx.res.end('raw')
    }
  })
  const { text, setCookie } = await client.get('/')
  t.is(text, 'raw')
  t.is(setCookie.length, 1)
  t.deepEqual((await record())?.data, { user: 'momo' })
})

test('with ctx.respond = false, an answer that comes later still carries the cookie', async (t) => {
  const { client, record } = await startStory(t, {
    '/': (ctx) => {
      ctx.respond = false
      ctx.session.user = 'momo'
      setTimeout(() => {
        ctx.res.statusCode = 200
        ctx.res.end('raw')
      }, 20)
    }
  })
  const { text, setCookie } = await client.get('/')
  t.is(text, 'raw')
  t.is(setCookie.length, 1)
  t.deepEqual((await record())?.data, { user: 'momo' })
})

test('a HEAD request sets and reads as a GET does', async (t) => {
  const { client, record } = await startStory(t, {
    '/': (ctx) => {
      ctx.session.change('visits', (n) => ((n as number | undefined) ?? 0) + 1)
      return 'body'
    }
  })
  const { setCookie, headers } = await client.send('HEAD', '/')
  t.is(setCookie.length, 1)
  t.is(headers.vary, 'Cookie')
  await client.send('HEAD', '/')
  t.deepEqual((await record())?.data, { visits: 2 })
})

test('a 304 saves the session and keeps Vary and the cookie', async (t) => {
  const { client, record } = await startStory(t, {
    '/': (ctx) => {
      ctx.session.user = 'momo'
      ctx.status = 200
      ctx.etag = 'x'
      if (ctx.fresh) ctx.status = 304
      else ctx.body = 'body'
    }
  })
  const { status, setCookie, headers } = await client.get('/', { headers: { 'if-none-match': '"x"', 'cache-control': 'max-age=0' } })
  t.is(status, 304)
  t.is(setCookie.length, 1)
  t.is(headers.vary, 'Cookie')
  t.deepEqual((await record())?.data, { user: 'momo' })
})

test('a redirect carries the cookie', async (t) => {
  const { client } = await startStory(t, {
    '/': (ctx) => {
      ctx.session.user = 'momo'
      ctx.redirect('/home')
    }
  })
  const { status, setCookie } = await client.get('/')
  t.is(status, 302)
  t.is(setCookie.length, 1)
})

test('a path that no handler answers is Koa\'s plain 404', async (t) => {
  const { client } = await startStory(t, {})
  const { status, text, headers } = await client.get('/absent')
  t.is(status, 404)
  t.is(text, 'Not Found')
  t.is(headers.vary, undefined)
})

test('changes of a request are saved even if its client disconnects in the middle', async (t) => {
  const gate = createGate()
  const { client, record, origin } = await startStory(t, {
    '/set': (ctx) => void (ctx.session.user = 'momo'),
    '/slow': async (ctx) => {
      ctx.session.user = 'lin'
      await gate.pass()
    }
  })
  await client.get('/set')
  const outgoing = request(`${origin}/slow`, { headers: { cookie: client.cookieHeader('/') } }).end()
  outgoing.on('error', () => {})
  await gate.reached()
  const closed = new Promise((resolve) => outgoing.on('close', resolve))
  outgoing.destroy()
  await closed
  gate.open()
  for (let tries = 0; tries < 200 && (await record())?.data['user'] !== 'lin'; tries++) await client.get('/absent')
  t.deepEqual((await record())?.data, { user: 'lin' })
})
