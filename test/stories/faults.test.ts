import test from 'ava'
import type { Context } from 'koa'
import { idOf } from '../support/events.js'
import { hour, startStory, type Routes } from '../support/story.js'

const routes: Routes = {
  '/set': (ctx: Context) => ctx.session.update({ user: 'momo', cart: ['tea'] }),
  '/get': (ctx: Context) => ({ ...ctx.session }),
  '/change': (ctx: Context) => {
    ;(ctx.session.get('cart') as string[]).push('milk')
    ctx.session.change('visits', (n) => ((n as number | undefined) ?? 0) + 1)
  },
  '/save-twice': async (ctx: Context) => {
    ctx.session.set('one', 1)
    await ctx.session.save()
    ctx.session.set('two', 2)
  },
  '/login': async (ctx: Context) => {
    await ctx.session.regenerate()
    ctx.session.user = 'lin'
  },
  '/logout': (ctx: Context) => ctx.session.destroy(),
  '/clear': (ctx: Context) => ctx.session.clear(),
  '/logout-set': async (ctx: Context) => {
    await ctx.session.destroy()
    ctx.session.set('flash', 'bye')
  },
  '/fail': (ctx: Context) => {
    ctx.session.set('attempts', 1)
    ctx.throw(401)
  },
  '/login-fail': async (ctx: Context) => {
    await ctx.session.regenerate()
    throw new Error('boom')
  }
}

// A failing call may leave only: a whole record that some request committed, a cookie of a live session or one that the client had before, and
// a truthful response.
for (const path of Object.keys(routes)) {
  for (const before of [false, true]) {
    test(`if any store call of ${path} ${before ? 'with' : 'without'} a session fails, no record is torn, and no new cookie names a missing session`, async (t) => {
      for (let failing = 1; ; failing++) {
        const { client, store, time, record, errors } = await startStory(t, routes)
        if (before) await client.get('/set')
        const old = client.copy()
        const oldRecord = await record(old)
        time.pass(hour)
        let failed: string | undefined
        store.fault = (call, number) => {
          if (number !== failing) return undefined
          failed = call.method
          return Promise.reject(new Error('down'))
        }
        store.calls.length = 0
        const answer = await client.get(path)
        store.fault = undefined
        const where = `call ${failing} of ${path} (${failed ?? 'none'}): ${store.said} → ${answer.status}`

        const cookie = client.cookie('session')
        if (cookie !== undefined && cookie !== old.cookie('session')) {
          t.truthy(await record(), `${where}: the new cookie names a live session`)
        }
        if (before && (await record(old)) !== undefined) {
          const left = (await record(old))!
          t.true(left.rev >= oldRecord!.rev, where)
          // The record that save() wrote stays committed, even if a later call fails.
          if (answer.status >= 500 && path !== '/save-twice') t.deepEqual({ ...left, rev: 0, expires: 0 }, { ...oldRecord!, rev: 0, expires: 0 }, `${where}: the old record is whole`)
          if (cookie === undefined) t.true(answer.status >= 500, `${where}: a logout that did not happen is not reported as one`)
        }
        if (before && cookie !== undefined && (await record(old)) === undefined) {
          t.not(cookie, old.cookie('session'), `${where}: the client is not left with a cookie that was destroyed`)
        }
        for (const error of errors) t.false(error.message.includes(idOf(old.cookie('session') ?? 'x')))
        // The application recovers by itself: the next request succeeds.
        t.true((await client.get('/get')).status < 500, where)
        if (failed === undefined) break
      }
    })
  }
}
