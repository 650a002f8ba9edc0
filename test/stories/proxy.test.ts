import test, { type ExecutionContext } from 'ava'
import type { Context } from 'koa'
import { inspect } from 'node:util'
import { startStory } from '../support/story.js'

const members = [
  'get', 'set', 'has', 'pop', 'setDefault', 'update', 'clear', 'change', 'permanent', 'lifetime', 'modified', 'accessed',
  'isNew', 'sid', 'createdAt', 'expiresAt', 'regenerate', 'destroy', 'save'
]

/** Runs a check inside a handler of a session that holds `{ user: 'momo', cart: ['tea'] }`. */
async function within(t: ExecutionContext, check: (session: Context['session'], ctx: Context) => unknown) {
  const story = await startStory(t, {
    '/set': (ctx) => ctx.session.update({ user: 'momo', cart: ['tea'] }),
    '/': async (ctx) => void (await check(ctx.session, ctx))
  })
  await story.client.get('/set')
  const { status } = await story.client.get('/')
  t.is(story.errors[0]?.stack, undefined)
  t.is(status, 204)
  return story
}

test('own keys are the data: in, Object.keys, entries, spread and for … in see nothing else', async (t) => {
  await within(t, (session) => {
    t.true('user' in session)
    t.false('absent' in session)
    t.deepEqual(Object.keys(session), ['user', 'cart'])
    t.deepEqual(Reflect.ownKeys(session), ['user', 'cart'])
    t.deepEqual(Object.entries(session), [['user', 'momo'], ['cart', ['tea']]])
    t.deepEqual({ ...session } as object, { user: 'momo', cart: ['tea'] })
    const seen: string[] = []
    for (const key in session) seen.push(key)
    t.deepEqual(seen, ['user', 'cart'])
    t.true(Object.hasOwn(session, 'user'))
    t.false(Object.hasOwn(session, 'get'))
  })
})

test('JSON.stringify sees data only', async (t) => {
  await within(t, (session) => t.is(JSON.stringify(session), '{"user":"momo","cart":["tea"]}'))
})

test('util.inspect sees data only', async (t) => {
  await within(t, (session) => {
    const text = inspect(session)
    t.regex(text, /user: 'momo'/)
    t.regex(text, /cart: \[ 'tea' \]/)
    for (const name of ['sid', 'isNew', 'permanent', 'Promise', String(session.sid)]) t.false(text.includes(name), text)
  })
})

test('util.inspect with showProxy and showHidden does not show the sid', async (t) => {
  await within(t, (session) => t.false(inspect(session, { showProxy: true, showHidden: true, depth: 10 }).includes(session.sid!)))
})

test('a session handed to a promise is not taken for one', async (t) => {
  await within(t, async (session) => {
    const same = await Promise.resolve(session)
    t.is(same, session)
  })
})

test('delete removes a key, also with a key that is not there', async (t) => {
  const { record } = await within(t, (session) => {
    t.true(delete session['user'])
    t.true(delete session['absent'])
    t.false('user' in session)
    t.is(session['user'], undefined)
  })
  t.deepEqual((await record())?.data, { cart: ['tea'] })
})

test('get() of an absent key is undefined, even if Object.prototype has a property of that name', async (t) => {
  await within(t, (session) => {
    t.is(session['absent'], undefined)
    t.is(session.get('toString'), undefined)
    t.is(session.get('__proto__'), undefined)
    t.is(session.get('constructor'), undefined)
  })
})

for (const name of members) {
  test(`${name} is no key: assigning data to it is a TypeError that points to set`, async (t) => {
    await within(t, (session) => {
      const settable = ['permanent', 'lifetime', 'modified'].includes(name)
      const error = t.throws(() => Object.assign(session, { [name]: 'data' }), { instanceOf: TypeError })
      if (!settable) t.regex(error.message, /\bset\(/)
      t.regex(error.message, new RegExp(name))
      t.false(name in session && Object.keys(session).includes(name))
    })
  })

  test(`${name} is a legal key through set and get, and the member still works`, async (t) => {
    const { client, record } = await startStory(t, {
      '/set': (ctx) => {
        ctx.session.set(name, { is: 'data' })
        ctx.session.set('other', 1)
      },
      '/': (ctx) => {
        const member: unknown = Reflect.get(ctx.session, name)
        t.notDeepEqual(member, { is: 'data' })
        const json = JSON.stringify(ctx.session)
        return { got: ctx.session.get(name), has: ctx.session.has(name), keys: Object.keys(ctx.session), json }
      },
      '/pop': (ctx) => ({ popped: ctx.session.pop(name) })
    })
    await client.get('/set')
    // Not among the keys that a spread or Object.keys sees: session[key] would give the member.
    t.deepEqual((await client.get('/')).json, { got: { is: 'data' }, has: true, keys: ['other'], json: `{"${name}":{"is":"data"},"other":1}` })
    t.deepEqual((await client.get('/pop')).json, { popped: { is: 'data' } })
    t.deepEqual((await record())?.data, { other: 1 })
  })
}

for (const key of ['__proto__', 'toJSON', 'then', 'constructor', 'hasOwnProperty', 'toString', '', '0', 'a.b', '🍵', 'prototype']) {
  test(`${JSON.stringify(key)} is a key like any other through get and set`, async (t) => {
    const { client, record } = await startStory(t, {
      '/set': (ctx) => ctx.session.set(key, { is: 'data' }),
      '/': (ctx) => {
        const keys = Object.keys(ctx.session)
        return { got: ctx.session.get(key), has: ctx.session.has(key), keys, json: JSON.stringify(ctx.session.get(key)) }
      },
      '/await': async (ctx) => {
        const session = await Promise.resolve(ctx.session)
        return { same: session === ctx.session }
      },
      '/change': (ctx) => {
        ctx.session.change(key, () => 1)
        return { popped: ctx.session.pop(key) }
      }
    })
    await client.get('/set')
    const { json } = await client.get('/')
    t.deepEqual(json, { got: { is: 'data' }, has: true, keys: key === 'toJSON' ? [] : [key], json: '{"is":"data"}' })
    t.deepEqual((await client.get('/await')).json, { same: true })
    t.deepEqual(Object.entries((await record())!.data), [[key, { is: 'data' }]])
    t.deepEqual((await client.get('/change')).json, { popped: 1 })
    t.is(await record(), undefined)
  })
}

test('symbols are no keys', async (t) => {
  await within(t, (session) => {
    t.throws(() => Object.assign(session, { [Symbol('mine')]: 1 }), { instanceOf: TypeError })
    t.is(Reflect.get(session, Symbol('mine')), undefined)
  })
})

test('keys that are no strings are refused by get and set', async (t) => {
  await within(t, (session) => {
    for (const key of [undefined, null, 1, {}] as unknown as string[]) {
      t.throws(() => session.set(key, 1), { instanceOf: TypeError })
    }
  })
})

test('Object.defineProperty with a plain value sets a key; an accessor is refused', async (t) => {
  const { record } = await within(t, (session) => {
    Object.defineProperty(session, 'tea', { value: 1, writable: true, enumerable: true, configurable: true })
    t.throws(() => Object.defineProperty(session, 'milk', { get: () => 1, configurable: true }), { instanceOf: TypeError })
  })
  t.deepEqual((await record())?.data, { user: 'momo', cart: ['tea'], tea: 1 })
})

test('a session can neither be frozen nor given a prototype', async (t) => {
  await within(t, (session) => {
    t.throws(() => Object.freeze(session), { instanceOf: TypeError })
    t.throws(() => Object.setPrototypeOf(session, { evil: true }) as unknown, { instanceOf: TypeError })
    t.true(Object.isExtensible(session))
  })
})

test('two looks at ctx.session are the same object, and two readings of a nested value are too', async (t) => {
  await within(t, (session, ctx) => {
    t.is(ctx.session, session)
    t.is(session.get('cart'), session['cart'])
  })
})

test('members can be taken off the session and called', async (t) => {
  const { record } = await within(t, (session) => {
    const get = session['get' as string] as (key: string) => unknown
    const set = session['set' as string] as (key: string, value: unknown) => void
    set('copy', get('user'))
  })
  t.is((await record())?.data['copy'], 'momo')
})
