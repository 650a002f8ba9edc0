import fs from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { fileStore, memoryStore } from '../../src/index.js'
import { Client } from '../support/client.js'
import { startProcesses, startServers, type Fleet } from '../support/fleet.js'
import { tempDir, until } from '../support/files.js'
import { threshold } from './small-file-store.js'

// Promise 9: nothing that a visitor without a login can do removes the session of a user who is logged in.

const userCount = 10
/** How many visitors come, all without a cookie. Each gets a session. */
const visitorCount = 600
const forEachInParallel = 15

test.serial('files: a flood of visitors at four processes removes no session of a user who is logged in, while users come and go', async (t) => {
  const dir = tempDir(t)
  const fleet = await startProcesses(4, new URL('small-file-store.ts', import.meta.url), dir)
  t.teardown(() => fleet.close())
  const records = () => fs.readdirSync(dir).filter((name) => name.endsWith('.json')).length
  await floodBeside(t, fleet)
  await until(() => records() <= threshold)
  t.true(records() >= userCount)
})

test.serial('memory: a flood of visitors removes no session of a user who is logged in, while users come and go', async (t) => {
  const fleet = await startServers([memoryStore({ maxSessions: threshold })])
  t.teardown(() => fleet.close())
  await floodBeside(t, fleet)
})

async function floodBeside(t: ExecutionContext, { origins }: Fleet): Promise<void> {
  let turn = 0
  const next = () => origins[turn++ % origins.length]!
  const users = Array.from({ length: userCount }, (_, at) => ({ name: `user-${at}`, browser: new Client(next()), count: 0 }))
  await Promise.all(users.map(({ name, browser }) => browser.get(`/login-as?user=${name}`)))

  const visitors = { isOver: false }
  const flood = Promise.all(
    Array.from({ length: forEachInParallel }, async () => {
      for (let come = 0; come < visitorCount / forEachInParallel; come++) {
        const visitor = new Client(next())
        t.is((await visitor.get('/set?key=cart&value=tea')).status, 204)
        // Some do what else a visitor can: they get new sids, and end the other sessions of nobody.
        if (come % 5 === 0) await visitor.get('/regenerate')
        if (come % 10 === 0) await visitor.get('/end-others')
      }
    })
  ).then(() => (visitors.isOver = true))

  let [work, relogins] = [0, 0]
  while (!visitors.isOver) {
    // The others are idle, so that their deadlines are the nearest of all.
    for (const user of users.slice(userCount / 2)) {
      const { name, browser } = user
      const tab = browser.at(next())
      t.is((await tab.get('/change')).status, 204)
      user.count++
      work++
      if (work % 7 === 0) await tab.get('/regenerate')
      if (work % 11 !== 0) continue
      await tab.get('/logout')
      await tab.get(`/login-as?user=${name}`)
      user.count = 0
      relogins++
    }
  }
  await flood
  t.log(`${work} requests of users, ${relogins} new logins`)
  t.true(work >= userCount)
  for (const { browser, count } of users) t.deepEqual((await browser.at(next()).get('/get')).json, count === 0 ? {} : { count })
}

test.serial('memory: visitors remove no session of a user, although the store is full of users', async (t) => {
  const store = memoryStore({ maxSessions: 20 })
  const fleet = await startServers([store])
  t.teardown(() => fleet.close())
  const users = Array.from({ length: 20 }, () => new Client(fleet.origins[0]!))
  for (const [at, user] of users.entries()) await user.get(`/login-as?user=user-${at}`)
  for (let visitor = 0; visitor < 30; visitor++) t.is((await new Client(fleet.origins[0]!).get('/set?key=cart&value=tea')).status, 204)
  let owned = 0
  for await (const { owner } of store.records!()) if (owner !== undefined) owned++
  t.is(owned, 20)
})

test.serial('files: visitors remove no session of a user, although the directory is full of users', async (t) => {
  const dir = tempDir(t)
  const store = fileStore({ dir, threshold: 20 })
  t.teardown(() => store.close?.())
  const fleet = await startServers([store])
  t.teardown(() => fleet.close())
  const users = Array.from({ length: 19 }, () => new Client(fleet.origins[0]!))
  for (const [at, user] of users.entries()) await user.get(`/login-as?user=user-${at}`)
  const records = () => fs.readdirSync(dir).filter((name) => name.endsWith('.json')).length
  for (let visitor = 0; visitor < 30; visitor++) t.is((await new Client(fleet.origins[0]!).get('/set?key=cart&value=tea')).status, 204)
  await until(() => records() <= 20)
  let owned = 0
  for await (const { owner } of store.records!()) if (owner !== undefined) owned++
  t.is(owned, 19)
})
