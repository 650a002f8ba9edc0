import test from 'ava'
import { Client } from '../support/client.js'
import { closingToo, startProcesses } from '../support/fleet.js'
import { needsMemcached, startMemcached } from '../support/memcached.js'
import { races } from './races.js'

const memcachedTest = needsMemcached(test)

races(memcachedTest, 'memcached, four processes', async () => {
  const teardowns: (() => unknown)[] = []
  const server = await startMemcached({ teardown: (end) => void teardowns.push(end) })
  return closingToo(await startProcesses(4, new URL('../support/memcached-store.ts', import.meta.url), server.address), ...teardowns)
})

memcachedTest('memcached: when a process is killed during saves, every acknowledged change is there, and the other processes go on with the session', async (t) => {
  const server = await startMemcached(t)
  const fleet = await startProcesses(3, new URL('../support/memcached-store.ts', import.meta.url), server.address)
  t.teardown(() => fleet.close())
  const browser = new Client(fleet.origins[0]!)
  await browser.get('/set?key=user&value=momo')
  const acknowledged: string[] = []
  let isKilled = false
  await Promise.all(
    Array.from({ length: 12 }, async (_, writer) => {
      const tab = browser.copy().at(fleet.origins[writer % 3]!)
      for (let at = 0; at < 15; at++) {
        const key = `w${writer}-${at}`
        // Those of the process that was killed get no answer.
        const answer = await tab.get(`/set?key=${key}&value=1`).catch(() => undefined)
        if (answer?.status === 204) acknowledged.push(key)
        else t.true(isKilled && writer % 3 === 2)
        if (acknowledged.length > 30 && !isKilled) {
          isKilled = true
          fleet.processes[2]!.kill('SIGKILL')
        }
      }
    })
  )
  const data = (await browser.get('/get')).json as Record<string, string>
  t.is(data['user'], 'momo')
  t.deepEqual(acknowledged.filter((key) => data[key] !== '1'), [])
  t.is((await browser.at(fleet.origins[1]!).get('/logout')).status, 204)
  t.deepEqual((await browser.copy().get('/get')).json, {})
})
