import test, { type ExecutionContext, type TestFn } from 'ava'
import { storeFromUrl } from '../../src/index.js'
import { runCommand } from '../support/cli.js'
import { tempDir } from '../support/files.js'
import { needsRedis, startRedis } from '../support/redis.js'
import { Application, Person, Traffic } from './traffic.js'

// The four steps of docs/command.md, with traffic before, between and after them.

function moves(run: TestFn, what: string, start: (t: ExecutionContext) => Promise<readonly [from: string, to: string]>, seal = false): void {
  run(`moving ${what} in four steps logs nobody out, loses nothing that was acknowledged and brings no logged-out session back`, async (t) => {
    const [from, to] = await start(t)
    const [source, target] = [storeFromUrl(from), storeFromUrl(to)]
    t.teardown(() => Promise.all([source.close!(), target.close!()]))
    const application = await Application.create(seal)
    t.teardown(() => application.stop())
    const person = (name: string) => new Person(name, application.origin)
    const [idle, leaving, moving, editing, late, lateLeaving] = ['idle', 'leaving', 'moving', 'editing', 'late', 'lateLeaving'].map(person) as [Person, Person, Person, Person, Person, Person]
    const few = [idle, leaving, moving, editing, late, lateLeaving]
    const traffic = new Traffic(Array.from({ length: 12 }, (_, at) => person(`user${at}`)))
    t.teardown(() => traffic.end().catch(() => undefined))
    const assertRight = async () => {
      for (const each of few) t.deepEqual(await each.problems(), [])
    }

    await application.start(source)
    for (const each of [idle, leaving, moving, editing]) {
      await each.logIn()
      await each.visit()
    }
    traffic.begin()
    await traffic.pass(60)

    // 1. Copy while the application runs. A session that changes meanwhile is taken by the next copy.
    for (let round = 0; round < 2; round++) {
      const first = await runCommand(['copy', from, to])
      t.is(first.status, 0, first.stderr)
      t.regex(first.stdout, /^left out +0 /m)
      await traffic.pass(60)
    }
    await leaving.logOut()
    await moving.renew()
    await editing.visit()
    for (const each of [late, lateLeaving]) await each.logIn()
    await lateLeaving.logOut()
    await assertRight()

    // 2. Stop the application. The people go on sending requests, which are refused.
    await application.stop()

    // 3. Copy what has changed since.
    const last = await runCommand(['copy', from, to, '--delete', '--yes'])
    t.is(last.status, 0, last.stderr)
    t.notRegex(last.stdout, /^(removed|updated|copied) +0 /m)

    // 4. Start the application on the new store.
    await application.start(target)
    await assertRight()
    await traffic.pass(120)
    await traffic.end()
    for (const each of traffic.people) t.deepEqual(await each.problems(), [])
    await moving.visit()
    await editing.renew()
    await late.logOut()
    await assertRight()

    // Somebody repeats the copy by mistake: nothing that has ended since comes back.
    const mistake = await runCommand(['copy', from, to, '--delete', '--yes'])
    t.is(mistake.status, 1)
    t.regex(mistake.stderr, /an earlier copy brought it, and it has ended in the target since \(--restore copies it again\)/)
    for (const each of traffic.people) t.deepEqual(await each.problems(), [])
    await assertRight()
  })
}

moves(needsRedis(test), 'sessions from files to Redis', async (t) => {
  const server = await startRedis()
  t.teardown(server.stop)
  return [`file:${tempDir(t)}?threshold=0`, server.url]
})

moves(test, 'sealed sessions from SQLite to files', async (t) => [`sqlite:${tempDir(t)}/sessions.db`, `file:${tempDir(t)}?threshold=0`], true)
