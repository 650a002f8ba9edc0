import test from 'ava'
import { fileStore, memoryStore, type SessionStore } from '../../src/index.js'
import { backends, type Opened } from '../attacks/backends/index.js'
import { Stage, type Target } from '../attacks/stage.js'
import { recordEvents, idOf } from '../support/events.js'
import { tempDir } from '../support/files.js'
import { oneByOne, packages } from '../support/foreign-stores.js'
import { atRest, edit, flipped, routes } from '../support/sealed.js'
import { hour, startStory } from '../support/story.js'

// What concerns stores in DESIGN section 12, on every store. Everything else happens before a store sees a record: see seal.test.ts.

/** A prefix of one test, and an application with sealed sessions over it. */
async function start(stage: Stage, maxPerOwner?: number): Promise<Target & { store: SessionStore }> {
  const target = await stage.start(routes, { seal: true, ...(maxPerOwner !== undefined && { maxPerOwner }) })
  const store = stage.opened.store() as SessionStore
  return { ...target, store: store.scope!({ prefix: stage.prefix, now: Date.now, largest: 128 * 1024 }) }
}

for (const { name, needs, start: startBackend } of backends.filter((each) => each.name !== 'cookie')) {
  const runner = needs(test)
  const teardowns: (() => unknown)[] = []
  let opened: Opened
  runner.serial.before(`${name} starts`, async () => {
    opened = await startBackend({ teardown: (run) => void teardowns.unshift(run) })
  })
  runner.serial.after.always(`${name} ends`, async () => {
    for (const teardown of teardowns) await teardown()
  })

  runner.serial(`${name}: nothing of the plain data is in the store, and it comes back`, async (t) => {
    const stage = new Stage(name, opened, t)
    const { browser, store, errors } = await start(stage)
    const client = browser()
    await client.get('/set?key=favourite&value=darjeeling')
    await client.get('/login?user=17')
    await client.get('/set?key=favourite&value=lapsang')
    t.deepEqual((await client.get('/get')).json, { favourite: 'lapsang' })
    t.like(await atRest(store, client), { owner: '17', data: {} })
    const all = (await opened.texts?.dump()) ?? JSON.stringify(await atRest(store, client))
    t.false(/favourite|darjeeling|lapsang/.test(all))
    t.false(all.includes(client.cookie('session')!.split('.')[0]!), 'nor is the sid')
    t.deepEqual(errors, [])
  })

  runner.serial(`${name}: a sealed record that was edited is corrupt, and no 500`, async (t) => {
    const { browser, store, errors } = await start(new Stage(name, opened, t))
    const client = browser()
    await client.get('/set?key=cart&value=tea')
    const id = idOf(client.cookie('session')!)
    const events = recordEvents(t)
    await edit(store, client, (record) => ({ sealed: flipped(record) }))
    const { status, json } = await client.get('/get')
    t.is(status, 200)
    t.deepEqual(json, {})
    t.true(events.some((event) => event.type === 'corrupt' && event.id === id))
    t.deepEqual(errors, [])
  })

  runner.serial(`${name}: sealed sessions are listed, ended and limited by their owner`, async (t) => {
    const { browser, sessions, store } = await start(new Stage(name, opened, t), listsOwners() ? 3 : undefined)
    const clients = [browser(), browser(), browser()]
    for (const client of clients) await client.get('/login?user=17')
    for (const client of clients) await client.get('/set?key=cart&value=tea')
    const ids = clients.map((client) => idOf(client.cookie('session')!))
    if (!store.ownedBy) {
      t.like(await sessions.find(ids[0]!), { data: 'sealed' })
      return
    }
    const listed = []
    for await (const each of sessions.ownedBy('17')) listed.push(each)
    t.deepEqual(listed.map(({ id }) => id).toSorted(), ids.toSorted())
    for (const each of listed) t.like(each, { owner: '17', data: 'sealed' })
    // A fourth login ends the first.
    await browser().get('/login?user=17')
    t.is(await sessions.find(ids[0]!), undefined)
    t.deepEqual((await clients[2]!.get('/end-others')).json, { ended: 2 })
    t.is(await sessions.endOwnedBy('17'), 1)
    t.deepEqual((await clients[2]!.get('/get')).json, {})
  })

  function listsOwners(): boolean {
    return (opened.store() as SessionStore).ownedBy !== undefined
  }
}

for (const [name, make] of [['memory', () => memoryStore()], ['files', (t) => fileStore({ dir: tempDir(t) })]] as readonly [string, (t: Parameters<typeof tempDir>[0]) => SessionStore][]) {
  test(`${name}: sealed sessions expire and are pruned`, async (t) => {
    const made = make(t)
    const { client, store, time } = await startStory(t, routes, { store: made, seal: true, lifetime: hour })
    await client.get('/set?key=cart&value=tea')
    const scoped = made.scope!({ prefix: 'session:', now: time.now, largest: 128 * 1024 })
    time.pass(hour)
    t.is(await atRest(store, client), undefined)
    time.pass(hour)
    t.is(await scoped.prune!(), 1)
  })
}

for (const { name, needs, start: startPackage } of packages) {
  oneByOne(needs(test))(`${name}: sealed sessions are kept in a wrapped store of another library`, async (t) => {
    const made = await startPackage(t)
    const { client, store } = await startStory(t, routes, { store: made.adapt(), seal: true, now: Date.now, storeTimeout: 30_000 })
    await client.get('/set?key=cart&value=tea')
    await client.get('/login?user=17')
    await client.get('/add')
    t.deepEqual((await client.get('/get')).json, { cart: 'tea', count: 1 })
    t.like(await atRest(store, client), { owner: '17', data: {} })
  })
}
