import { randomInt } from 'node:crypto'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { TestFn } from 'ava'
import { session, type SessionInfo, type SessionStore } from '../../src/index.js'
import type { Cleanup } from '../support/app.js'
import type { Fleet } from '../support/fleet.js'
import { secret } from '../support/story.js'
import { everybody, Person } from './person.js'

/** Servers with the application of the races, and a store of this process on the same sessions. */
export interface Stage {
  readonly fleet: Fleet
  readonly store: SessionStore
}

/** How many people there are, each with one request in progress. */
const crowd = 32

/** After how many answers each server is killed, one after another. */
const answersPerServer = { least: 60, most: 120 }

/**
 * Promise 8, over any store: what an owner's list holds after people have logged in and out while the processes were killed one after
 * another, each at a random moment of the requests that it was in the middle of.
 */
export function crashes(test: TestFn, name: string, start: (t: Cleanup) => Promise<Stage>): void {
  test.serial(`${name}: each owner's list holds every acknowledged login that was not ended, and nobody else's`, async (t) => {
    const { fleet, store } = await start(t)
    t.teardown(() => fleet.close())
    const { people, answers, cuts } = await live(fleet)
    t.log(`${answers} answers, ${cuts} requests without one`)
    t.true(answers >= answersPerServer.least)
    t.is(cuts > 0, fleet.processes.length > 0)

    const sessions = session({ store, keys: [secret], storeTimeout: 60_000 })
    const all = await collect(sessions.all())
    const [logins, ended] = [new Map(people.flatMap((each) => [...each.logins])), new Set(people.flatMap((each) => [...each.ended]))]
    const owners = [everybody, ...people.map((each) => each.name)]
    const listed = new Map(await Promise.all(owners.map(async (owner) => [owner, await collect(sessions.ownedBy(owner))] as const)))
    for (const owner of owners) {
      const stored = all.filter((each) => each.owner === owner).map(({ id }) => id)
      t.deepEqual(listed.get(owner)!.map(({ id }) => id).sort(), stored.sort(), `the list of ${owner} is what a scan of all sessions finds`)
      t.deepEqual(listed.get(owner)!.filter((each) => each.owner !== owner || ended.has(each.id)), [])
    }
    for (const [id, owner] of logins) t.true(listed.get(owner)!.some((each) => each.id === id), `an acknowledged login of ${owner} is listed`)
    t.deepEqual(people.flatMap(({ complaints }) => complaints), [])

    // A logout that its dead process had begun may be finished first, and then ends the session.
    for (const owner of owners) t.true((await sessions.endOwnedBy(owner)) <= listed.get(owner)!.length)
    t.deepEqual((await collect(sessions.all())).filter(({ owner }) => owner !== undefined), [], 'every session of every owner is ended')
    for (const owner of owners) t.deepEqual(await collect(sessions.ownedBy(owner)), [])
  })
}

/** Until every process is dead; without processes, until there was as much to do. */
async function live(fleet: Fleet): Promise<{ people: Person[]; answers: number; cuts: number }> {
  const toKill = [...fleet.processes]
  const seen = { answers: 0, cuts: 0, nextKill: answersUntilKill(), isOver: false }
  const servers = {
    origins: [...fleet.origins],
    answered() {
      if (++seen.answers < seen.nextKill) return
      seen.nextKill += answersUntilKill()
      const child = toKill.shift()
      if (child) child.kill('SIGKILL')
      else seen.isOver = fleet.processes.length === 0
    },
    lost: () => void seen.cuts++
  }
  const people = Array.from({ length: crowd }, (_, at) => new Person(`person ${at}`, servers))
  await Promise.all(
    people.map(async (person) => {
      while (servers.origins.length > 0 && !seen.isOver) await person.act()
    })
  )
  await Promise.all(fleet.processes.map(hasEnded))
  return { people, ...seen }
}

function answersUntilKill(): number {
  return randomInt(answersPerServer.least, answersPerServer.most)
}

async function hasEnded(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

async function collect(infos: AsyncIterable<SessionInfo>): Promise<SessionInfo[]> {
  const all: SessionInfo[] = []
  for await (const info of infos) all.push(info)
  return all
}
