import test from 'ava'
import type { Context } from 'koa'
import { day, hour, minute, startStory } from '../support/story.js'
import { readSetCookie } from '../support/client.js'

const add = (n: unknown) => ((n as number | undefined) ?? 0) + 1
const set = (ctx: Context) => ctx.session.update({ user: 'momo', cart: ['tea'] })

test('get returns the value, or the fallback for an absent key', async (t) => {
  const { client } = await startStory(t, {
    '/': (ctx) => {
      ctx.session.set('none', null)
      return [ctx.session.get('none', 1), ctx.session.get('absent', 2), ctx.session.get('absent') === undefined]
    }
  })
  t.deepEqual((await client.get('/')).json, [null, 2, true])
})

test('has is true for a present key whose value is null, and false for absent keys and for members', async (t) => {
  const { client } = await startStory(t, {
    '/': (ctx) => {
      ctx.session.set('none', null)
      return [ctx.session.has('none'), ctx.session.has('absent'), ctx.session.has('get'), ctx.session.has('toString')]
    }
  })
  t.deepEqual((await client.get('/')).json, [true, false, false, false])
})

test('pop returns the value and removes it', async (t) => {
  const { client, record } = await startStory(t, { '/set': set, '/': (ctx) => [ctx.session.pop('cart'), ctx.session.pop('cart', 'gone')] })
  await client.get('/set')
  t.deepEqual((await client.get('/')).json, [['tea'], 'gone'])
  t.deepEqual((await record())?.data, { user: 'momo' })
})

test('pop of an absent key is not a change', async (t) => {
  const { client, store } = await startStory(t, {
    '/set': set,
    '/': (ctx) => {
      ctx.session.pop('absent')
      return { modified: ctx.session.modified }
    }
  })
  await client.get('/set')
  store.calls.length = 0
  t.deepEqual((await client.get('/')).json, { modified: false })
  t.is(store.said, 'read')
})

test('setDefault sets an absent key, leaves a present one, and returns the value that is present afterwards', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': set,
    '/': (ctx) => [ctx.session.setDefault('user', 'lin'), ctx.session.setDefault('visits', 1)]
  })
  await client.get('/set')
  t.deepEqual((await client.get('/')).json, ['momo', 1])
  t.deepEqual((await record())?.data, { user: 'momo', cart: ['tea'], visits: 1 })
})

test('a change in place to the value that setDefault returns is saved, whether the key was present or not', async (t) => {
  const { client, record } = await startStory(t, {
    '/': (ctx) => void (ctx.session.setDefault('flashes', []) as string[]).push('hi')
  })
  await client.get('/')
  await client.get('/')
  t.deepEqual((await record())?.data, { flashes: ['hi', 'hi'] })
})

test('update sets every key of an object and leaves the others', async (t) => {
  const { client, record } = await startStory(t, { '/set': set, '/': (ctx) => ctx.session.update({ user: 'lin', visits: 1 }) })
  await client.get('/set')
  await client.get('/')
  t.deepEqual((await record())?.data, { user: 'lin', cart: ['tea'], visits: 1 })
})

test('update with anything but a plain object is a TypeError and sets nothing', async (t) => {
  const { client, store } = await startStory(t, {
    '/': (ctx) => {
      for (const wrong of [null, 'text', ['a'], new Map([['a', 1]])]) {
        t.throws(() => ctx.session.update(wrong as unknown as object), { instanceOf: TypeError, message: /update\(object\) expects a plain object/ })
      }
    }
  })
  t.is((await client.get('/')).status, 204)
  t.is(store.said, '')
})

test('change replaces a value by the result of the function, and the request sees it', async (t) => {
  const { client, record } = await startStory(t, {
    '/': (ctx) => {
      ctx.session.change('visits', (n) => ((n as number | undefined) ?? 0) + 1)
      return { visits: ctx.session.get('visits') }
    }
  })
  t.deepEqual((await client.get('/')).json, { visits: 1 })
  t.deepEqual((await client.get('/')).json, { visits: 2 })
  t.deepEqual((await record())?.data, { visits: 2 })
})

test('several changes of one key in one request are applied one after the other', async (t) => {
  const { client, record } = await startStory(t, {
    '/': (ctx) => {
      ctx.session.change('visits', add)
      ctx.session.change('visits', add)
    }
  })
  await client.get('/')
  await client.get('/')
  t.deepEqual((await record())?.data, { visits: 4 })
})

test('several changes of one key in one request count exactly beside those of another request', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': set,
    '/': async (ctx) => {
      ctx.session.change('visits', add)
      if (ctx.query['meanwhile'] !== undefined) await client.copy().get('/')
      ctx.session.change('visits', add)
    }
  })
  await client.get('/set')
  await client.get('/?meanwhile')
  t.is((await record())?.data['visits'], 4)
})

test('a key that is set after a change has the value that was set', async (t) => {
  const { client, record } = await startStory(t, {
    '/': (ctx) => {
      ctx.session.change('visits', () => 7)
      ctx.session.set('visits', 1)
    }
  })
  await client.get('/')
  await client.get('/')
  t.deepEqual((await record())?.data, { visits: 1 })
})

test('a change of a key that was set or deleted in the same request starts from there', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': (ctx) => ctx.session.update({ a: 100, b: 100 }),
    '/': (ctx) => {
      ctx.session.set('a', 1)
      delete ctx.session['b']
      ctx.session.change('a', add)
      ctx.session.change('b', add)
    }
  })
  await client.get('/set')
  await client.get('/')
  t.deepEqual((await record())?.data, { a: 2, b: 1 })
})

test('a change that throws is an error of the handler that called it', async (t) => {
  const { client } = await startStory(t, {
    '/': (ctx) => {
      t.throws(() => ctx.session.change('visits', () => { throw new Error('mine') }), { message: 'mine' })
    }
  })
  t.is((await client.get('/')).status, 204)
})

test('permanent is settable, stored, and makes the cookie outlive the browser', async (t) => {
  const { client, record, time } = await startStory(t, {
    '/set': set,
    '/remember': (ctx) => void (ctx.session.permanent = true),
    '/': (ctx) => ({ permanent: ctx.session.permanent })
  })
  t.is(readSetCookie((await client.get('/set')).setCookie[0]!)['expires'], undefined)
  const { setCookie } = await client.get('/remember')
  t.is(Date.parse(String(readSetCookie(setCookie[0]!)['expires'])), time.now() + 31 * day)
  t.true((await record())?.permanent)
  client.close()
  t.deepEqual((await client.get('/')).json, { permanent: true })
})

test('permanent set to false makes the cookie one of the browser session again', async (t) => {
  const { client } = await startStory(t, { '/set': set, '/forget': (ctx) => void (ctx.session.permanent = false) }, { permanent: true })
  t.truthy(readSetCookie((await client.get('/set')).setCookie[0]!)['expires'])
  const { setCookie } = await client.get('/forget')
  t.is(readSetCookie(setCookie[0]!)['expires'], undefined)
  client.close()
  t.is(client.cookie('session'), undefined)
})

test('lifetime is settable for one session, stored with it, and decides over its deadline', async (t) => {
  const { client, record, time } = await startStory(t, {
    '/set': set,
    '/remember': (ctx) => {
      ctx.session.permanent = true
      ctx.session.lifetime = 90 * day
    },
    '/': (ctx) => ({ lifetime: ctx.session.lifetime, expiresAt: ctx.session.expiresAt })
  })
  await client.get('/set')
  const { setCookie } = await client.get('/remember')
  t.is(Date.parse(String(readSetCookie(setCookie[0]!)['expires'])), time.now() + 90 * day)
  const stored = await record()
  t.is(stored?.lifetime, 90 * day)
  t.is(stored?.expires, time.now() + 90 * day)
  t.deepEqual((await client.get('/')).json, { lifetime: 90 * day, expiresAt: new Date(time.now() + 90 * day).toISOString() })
})

test('lifetime is that of the middleware unless the session has one of its own, and refuses a value that is not a duration', async (t) => {
  const { client } = await startStory(
    t,
    {
      '/': (ctx) => {
        t.is(ctx.session.lifetime, hour)
        for (const wrong of [0, -1, Number.NaN, Infinity, '5' as unknown as number]) {
          t.throws(() => (ctx.session.lifetime = wrong), { instanceOf: TypeError, message: /lifetime/ })
        }
        t.throws(() => (ctx.session.permanent = 1 as unknown as boolean), { instanceOf: TypeError, message: /permanent/ })
      }
    },
    { lifetime: hour }
  )
  t.is((await client.get('/')).status, 204)
})

test('modified is true exactly when there is something to save', async (t) => {
  const { client } = await startStory(t, {
    '/set': set,
    '/': (ctx) => {
      const said = [ctx.session.modified]
      void ctx.session.user
      said.push(ctx.session.modified)
      ctx.session.user = 'momo'
      said.push(ctx.session.modified)
      ctx.session.user = 'lin'
      said.push(ctx.session.modified)
      return said
    },
    '/nested': (ctx) => {
      ;(ctx.session.get('cart') as string[]).push('milk')
      return [ctx.session.modified]
    }
  })
  await client.get('/set')
  t.deepEqual((await client.get('/')).json, [false, false, false, true])
  t.deepEqual((await client.get('/nested')).json, [true])
})

test('modified = true forces a save of a session that did not change', async (t) => {
  const { client, record, store } = await startStory(t, { '/set': set, '/': (ctx) => void (ctx.session.modified = true) })
  await client.get('/set')
  const before = await record()
  await client.get('/')
  t.true(store.said.endsWith('update'))
  const after = await record()
  t.is(after?.rev, before!.rev + 1)
  t.deepEqual(after?.data, before?.data)
})

test('accessed is false until anything is read, asked for or listed', async (t) => {
  const looks: ((session: Context['session']) => unknown)[] = [
    (session) => session.user,
    (session) => session.get('user'),
    (session) => session.has('user'),
    (session) => 'user' in session,
    (session) => Object.keys(session),
    (session) => (session.user = 'momo')
  ]
  const { client } = await startStory(t, {
    '/': (ctx) => {
      const before = ctx.session.accessed
      looks[Number(ctx.query['look'])]!(ctx.session)
      return [before, ctx.session.accessed]
    }
  })
  for (const look of looks.keys()) t.deepEqual((await client.get(`/?look=${look}`)).json, [false, true], `look ${look}`)
})

test('isNew is true unless a stored session came with the request', async (t) => {
  const { client } = await startStory(t, { '/set': set, '/': (ctx) => [ctx.session.isNew] })
  t.deepEqual((await client.get('/')).json, [true])
  await client.get('/set')
  t.deepEqual((await client.get('/')).json, [false])
})

test('isNew is true for a cookie whose session is gone', async (t) => {
  const { client, time } = await startStory(t, { '/set': set, '/': (ctx) => [ctx.session.isNew] })
  await client.get('/set')
  time.pass(32 * day)
  t.deepEqual((await client.get('/')).json, [true])
})

test('sid is the secret in the cookie, is read-only and is not enumerable', async (t) => {
  const { client } = await startStory(t, {
    '/set': set,
    '/': (ctx) => {
      t.throws(() => Object.assign(ctx.session, { sid: 'mine' }) as unknown, { instanceOf: TypeError, message: /sid/ })
      t.false(Object.keys(ctx.session).includes('sid'))
      t.false(JSON.stringify(ctx.session).includes(String(ctx.session.sid)))
      return { sid: ctx.session.sid }
    }
  })
  await client.get('/set')
  const { sid } = (await client.get('/')).json as { sid: string }
  t.is(sid, client.cookie('session')!.split('.')[0]!)
})

test('createdAt and expiresAt are Dates, and only expiresAt changes', async (t) => {
  const { client, time } = await startStory(t, {
    '/set': set,
    '/': (ctx) => {
      t.true(ctx.session.createdAt instanceof Date)
      t.true(ctx.session.expiresAt instanceof Date)
      return [ctx.session.createdAt, ctx.session.expiresAt]
    }
  })
  const start = time.now()
  await client.get('/set')
  time.pass(5 * minute)
  await client.get('/')
  const [created, expires] = (await client.get('/')).json as [string, string]
  t.is(Date.parse(created), start)
  t.is(Date.parse(expires), start + 5 * minute + 31 * day)
})

test('save() writes at once, and later changes are written at the end', async (t) => {
  const { client, record, store } = await startStory(t, {
    '/set': set,
    '/': async (ctx) => {
      ctx.session.user = 'lin'
      await ctx.session.save()
      const saved = (await record())?.data['user']
      t.false(ctx.session.modified)
      ctx.session.set('late', 1)
      return { saved }
    }
  })
  await client.get('/set')
  store.calls.length = 0
  t.deepEqual((await client.get('/')).json, { saved: 'lin' })
  t.is(store.said, 'read update update')
  t.deepEqual((await record())?.data, { user: 'lin', cart: ['tea'], late: 1 })
})

test('save() of a new session creates it, and the response has its cookie once', async (t) => {
  const { client, store, record } = await startStory(t, {
    '/': async (ctx) => {
      ctx.session.user = 'momo'
      await ctx.session.save()
      ctx.session.set('late', 1)
    }
  })
  const { setCookie } = await client.get('/')
  t.is(setCookie.length, 1)
  t.is(store.said, 'create update')
  t.deepEqual((await record())?.data, { user: 'momo', late: 1 })
})

test('save() rejects with the error of the store, and a handler may catch it and continue', async (t) => {
  const { client, store, record } = await startStory(t, {
    '/set': set,
    '/': async (ctx) => {
      ctx.session.user = 'lin'
      store.fault = ({ method }) => (method === 'update' ? Promise.reject(new Error('down')) : undefined)
      await t.throwsAsync(ctx.session.save(), { code: 'ERR_SESSION_STORE' })
      store.fault = undefined
    }
  })
  await client.get('/set')
  t.is((await client.get('/')).status, 204)
  t.is((await record())?.data['user'], 'lin')
})

test('destroy() removes the record at once', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': set,
    '/': async (ctx) => {
      const thief = client.copy()
      await ctx.session.destroy()
      t.is(await record(thief), undefined)
      t.deepEqual({ ...ctx.session }, {})
    }
  })
  await client.get('/set')
  t.is((await client.get('/')).status, 204)
  t.is(client.cookie('session'), undefined)
})

test('regenerate() gives a new sid and keeps the data, and the old sid stops working at once', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': set,
    '/': async (ctx) => {
      const thief = client.copy()
      const before = ctx.session.sid
      await ctx.session.regenerate()
      t.not(ctx.session.sid, before)
      t.is(await record(thief), undefined)
      return { ...ctx.session }
    }
  })
  await client.get('/set')
  t.deepEqual((await client.get('/')).json, { user: 'momo', cart: ['tea'] })
  t.deepEqual((await record())?.data, { user: 'momo', cart: ['tea'] })
})

test('no member has a name that applications use for data: such a name is undefined until the application sets it', async (t) => {
  const names = ['login', 'user', 'id', 'flash', 'token', 'cookie', 'admin', 'role', 'data', 'name', 'views', 'returnTo', 'passport', 'secret', 'captcha'] as const
  const { client } = await startStory(t, {
    '/empty': (ctx) => ({ present: names.filter((name) => ctx.session[name] !== undefined || name in ctx.session || ctx.session.has(name)) }),
    '/set': (ctx) => {
      for (const name of names) ctx.session[name] = `own ${name}`
    },
    '/': (ctx) => ({ ...ctx.session })
  })
  t.deepEqual((await client.get('/empty')).json, { present: [] })
  await client.get('/set')
  t.deepEqual((await client.get('/')).json, Object.fromEntries(names.map((name) => [name, `own ${name}`])))
})
