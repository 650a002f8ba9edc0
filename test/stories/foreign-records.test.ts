import test from 'ava'
import { memoryStore, type SessionRecord, type SessionStore } from '../../src/index.js'
import { idOf, recordEvents } from '../support/events.js'
import { startStory, type Routes } from '../support/story.js'

// Answers that another author's store may give when it, or its connection, is broken.

const now = Date.UTC(2026, 0, 1)
const routes: Routes = {
  '/login': (ctx) => ctx.session.set('user', 'momo'),
  '/': (ctx) => ({ ...ctx.session }),
  '/set': (ctx) => ctx.session.set('tea', 1),
  '/regenerate': (ctx) => ctx.session.regenerate(),
  '/logout': (ctx) => ctx.session.destroy()
}
const lin = { rev: 1, write: 'a1', id: idOf('another sid'), created: now, used: now, expires: now + 1e9, permanent: false, data: { user: 'lin' } }
const answers: [string, unknown][] = [
  ['the record of another session', lin],
  ['a text', JSON.stringify(lin)],
  ['a list', []],
  ['an empty object', {}],
  ['true', true]
]

for (const [what, answer] of answers) {
  test(`a store that reads ${what}: the client has no session, and an event reports it`, async (t) => {
    const events = recordEvents(t)
    const { client, broken } = await start(t, 'read', answer)
    broken.on = true
    const { status, json } = await client.get('/')
    t.is(status, 200)
    t.deepEqual(json, {})
    const id = idOf(client.cookie('session')!)
    t.deepEqual(events.filter((event) => event.id === id && event.type !== 'create').map(({ type }) => type), ['corrupt', 'missing'])
  })

  test(`a store that answers an update with ${what}: the response is 503, and nothing of the answer reaches the client`, async (t) => {
    const { client, broken } = await start(t, 'update', answer)
    broken.on = true
    const { status, setCookie } = await client.get('/set')
    t.deepEqual({ status, setCookie }, { status: 503, setCookie: [] })
  })

  test(`a store that gives a recipe ${what}: regenerate() fails and keeps nothing of it`, async (t) => {
    const { client, broken, records } = await start(t, 'recipe', answer)
    broken.on = true
    const { status, setCookie } = await client.get('/regenerate')
    t.deepEqual({ status, setCookie }, { status: 503, setCookie: [] })
    for await (const record of records()) t.is(record.id, idOf(client.cookie('session')!))
  })

  test(`a store that answers a removal with ${what}: a logout fails, but the cookie is cleared`, async (t) => {
    const { client, broken } = await start(t, 'destroy', answer)
    broken.on = true
    t.is((await client.get('/logout')).status, 503)
    t.is(client.cookie('session'), undefined)
  })
}

test('a store may return null instead of undefined', async (t) => {
  const { client, broken } = await start(t, 'read', null)
  broken.on = true
  const { status, json } = await client.get('/')
  t.deepEqual({ status, json }, { status: 200, json: {} })
})

/** An app whose store works until `broken.on` is set, and then answers the calls of one method wrongly. */
async function start(t: Parameters<typeof startStory>[0], method: 'read' | 'update' | 'destroy' | 'recipe', answer: unknown) {
  const broken = { on: false }
  const inner = memoryStore().scope!({ prefix: '', now: () => now, largest: 1000 })
  const store: SessionStore = {
    ...inner,
    ...(method === 'recipe'
      ? { update: (id, recipe, seen) => inner.update(id, (current) => recipe(broken.on ? (answer as SessionRecord) : current), seen) }
      : {
          [method]: async (...args: never[]) => {
            const result: unknown = await (inner[method] as (...all: never[]) => unknown)(...args)
            return broken.on ? answer : result
          }
        })
  }
  delete store.scope
  const story = await startStory(t, routes, { store })
  await story.client.get('/login')
  return { ...story, broken, records: () => inner.records!() }
}
