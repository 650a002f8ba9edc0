import { once } from 'node:events'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import test from 'ava'
import { fileStore, memoryStore, SessionError, type MaybePromise, type SessionStore } from '../../src/index.js'
import { Client } from '../support/client.js'
import { tempDir, until } from '../support/files.js'
import { createGate } from '../support/gate.js'
import { startStory, type Routes } from '../support/story.js'

// AVA fails on an unhandled rejection and on an uncaught exception, so no test has to look for them.

/** How many clients hang up in each way. */
const clients = 20
const chunk = 'x'.repeat(5000)

/** When a client hangs up: once its handler runs, or once the first bytes of the response are there. What is stored then. */
const ways: { readonly [path: string]: { readonly at: 'handler' | 'response'; readonly leads: readonly string[] } } = {
  '/upload': { at: 'handler', leads: ['old'] },
  '/work': { at: 'handler', leads: ['old', 'new'] },
  '/late-stream': { at: 'handler', leads: ['old', 'new'] },
  '/stream': { at: 'response', leads: ['new'] }
}

for (const name of ['memory', 'files'] as const) {
  test(`${name}: a client that hangs up in the middle of a request or a response leaves a change that is stored or not, no call that stays open, and a session that works`, async (t) => {
    const arrived = createGate()
    const left = createGate()
    let ended = 0
    const routes: Routes = {
      '/start': (ctx) => void (ctx.session['value'] = 'old'),
      '/get': (ctx) => ({ value: ctx.session['value'] as string }),
      // The rest of the body never arrives, so reading it fails.
      '/upload': async (ctx) => {
        ctx.session['value'] = 'new'
        void arrived.pass()
        try {
          for await (const _ of ctx.req);
        } finally {
          ended++
        }
      },
      '/work': async (ctx) => {
        void arrived.pass()
        await left.pass()
        ctx.session['value'] = 'new'
        ended++
        return chunk
      },
      '/late-stream': async (ctx) => {
        void arrived.pass()
        await left.pass()
        ctx.session['value'] = 'new'
        return Readable.from([chunk]).on('close', () => ended++)
      },
      '/stream': (ctx) => {
        ctx.session['value'] = 'new'
        return Readable.from(endless()).on('close', () => ended++)
      }
    }
    let open = 0
    const { origin, errors } = await startStory(t, routes, { store: watched(name === 'memory' ? memoryStore() : fileStore({ dir: tempDir(t) }), (by) => (open += by)) })

    const all = Object.entries(ways).flatMap(([path, way]) => Array.from({ length: clients }, () => ({ path, ...way, client: new Client(origin) })))
    await Promise.all(all.map(({ client }) => client.get('/start')))
    const ofHandler = all.filter(({ at }) => at === 'handler')
    const sockets = all.map(({ path, at, client }) => {
      const socket = connect(Number(new URL(origin).port), '127.0.0.1')
      socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nCookie: ${client.cookieHeader('/')}\r\nContent-Length: 100000\r\n\r\nhalf`)
      // On the response it hangs up at once.
      if (at === 'response') socket.once('data', () => socket.destroy())
      return socket
    })
    const closed = Promise.all(sockets.map((socket) => once(socket, 'close')))
    await arrived.reached(ofHandler.length)
    for (const [at, socket] of sockets.entries()) if (all[at]!.at === 'handler') socket.destroy()
    await closed
    left.open()
    await until(() => ended === all.length && open === 0)

    for (const { path, leads, client } of all) {
      const { value } = (await client.get('/get')).json as { value: string }
      t.true(leads.includes(value), `${path}: ${value}`)
    }
    t.is(open, 0)
    // Koa reports the connections that broke. The sessions report nothing.
    t.true(errors.length >= clients)
    t.is(errors.find((error) => error instanceof SessionError), undefined)
  })
}

async function* endless(): AsyncGenerator<string> {
  for (;;) yield chunk
}

/** Counts the calls of a store that are in progress. */
function watched(inner: SessionStore, add: (by: number) => void): SessionStore {
  const run = async <T>(call: () => MaybePromise<T>): Promise<T> => {
    add(1)
    try {
      return await call()
    } finally {
      add(-1)
    }
  }
  return {
    read: (id) => run(() => inner.read(id)),
    create: (id, record) => run(() => inner.create(id, record)),
    update: (id, recipe, seen) => run(() => inner.update(id, recipe, seen)),
    destroy: (id) => run(() => inner.destroy(id)),
    scope: (scope) => watched(inner.scope?.(scope) ?? inner, add)
  }
}
