import test from 'ava'
import type { Context } from 'koa'
import type { SessionEvent } from '../../src/index.js'
import { idOf, recordEvents } from '../support/events.js'
import { day, hour, startStory, type Routes } from '../support/story.js'

const routes: Routes = {
  '/set': (ctx: Context) => void (ctx.session.user = 'momo'),
  '/get': (ctx: Context) => ({ user: ctx.session.user }),
  '/change': (ctx: Context) => void (ctx.session.user = 'lin'),
  '/login': (ctx: Context) => ctx.session.regenerate(),
  '/logout': (ctx: Context) => ctx.session.destroy(),
  '/clear': (ctx: Context) => ctx.session.clear(),
  '/slow': async (ctx: Context) => {
    ctx.session.change<number>('slow', (n = 0) => n + 1)
    await (ctx['meanwhile'] as () => Promise<unknown>)()
  }
}

/** The types of the events about these ids, in order. */
function typesOf(events: SessionEvent[], ...ids: string[]): string[] {
  return events.filter(({ id }) => id !== undefined && ids.includes(id)).map(({ type }) => type)
}

test('each step in the life of a session is an event: create, load, save, refresh, regenerate, destroy', async (t) => {
  const events = recordEvents(t)
  const { client, time } = await startStory(t, routes)
  const ids: string[] = []
  const told = () => typesOf(events, ...ids)
  await client.get('/set')
  ids.push(idOf(client.cookie('session')!))
  t.deepEqual(told(), ['create'])
  await client.get('/get')
  t.deepEqual(told().slice(1), ['load'])
  await client.get('/change')
  t.deepEqual(told().slice(2), ['load', 'save'])
  time.pass(hour)
  await client.get('/get')
  t.deepEqual(told().slice(4), ['load', 'refresh'])
  await client.get('/login')
  ids.push(idOf(client.cookie('session')!))
  const regenerated = events.find(({ type, id }) => type === 'regenerate' && id === ids[1])
  t.deepEqual(regenerated, { type: 'regenerate', id: ids[1]!, from: ids[0]! })
  await client.get('/logout')
  t.is(told().at(-1), 'destroy')
})

test('an emptied session is a destroy event, and an expired one an expire event', async (t) => {
  const events = recordEvents(t)
  const { client, time } = await startStory(t, routes)
  await client.get('/set')
  const emptied = idOf(client.cookie('session')!)
  await client.get('/clear')
  t.is(typesOf(events, emptied).at(-1), 'destroy')
  await client.get('/set')
  const ended = idOf(client.cookie('session')!)
  time.pass(32 * day)
  await client.get('/get')
  t.deepEqual(typesOf(events, ended).slice(-2), ['expire', 'missing'])
})

test('a save beside another save is a save event, and a save beside a logout a dropped event', async (t) => {
  const events = recordEvents(t)
  const { app, client } = await startStory(t, routes)
  app.context['meanwhile'] = () => client.copy().get('/change')
  await client.get('/set')
  const id = idOf(client.cookie('session')!)
  await client.get('/slow')
  t.is(typesOf(events, id).at(-1), 'save')
  app.context['meanwhile'] = () => client.copy().get('/logout')
  await client.get('/slow')
  t.deepEqual(typesOf(events, id).slice(-2), ['destroy', 'dropped'])
})

test('an invalid cookie is an event with the reason, and no event contains a sid or a MAC', async (t) => {
  const events = recordEvents(t)
  const { client } = await startStory(t, routes)
  await client.get('/set')
  const real = client.cookie('session')!
  const reasons = async (cookie: string) => {
    const before = events.length
    await client.get('/get', { headers: { cookie } })
    return events.slice(before).flatMap((event) => (event.type === 'invalid-cookie' ? [event.reason] : []))
  }
  t.true((await reasons('session=x')).includes('malformed'))
  t.true((await reasons(`session=${'A'.repeat(43)}.${'A'.repeat(43)}`)).includes('signature'))
  const [sid, mac] = real.split('.') as [string, string]
  t.false(JSON.stringify(events).includes(sid))
  t.false(JSON.stringify(events).includes(mac))
})
