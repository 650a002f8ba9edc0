import test, { type ExecutionContext } from 'ava'
import { fileStore, session, type SessionInfo } from '../../src/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { idOf } from '../support/events.js'
import { all, tempDir, through } from '../support/files.js'
import { createRaceApp } from '../support/race-app.js'
import { secret } from '../support/story.js'

/** What the process that dies was asked for, and who is logged in in that browser before. */
const scenarios: readonly (readonly [path: string, before: 'lin' | 'momo' | 'a visitor' | 'nobody'])[] = [
  ['/login-as?user=lin', 'nobody'],
  ['/login-as?user=lin', 'a visitor'],
  ['/login-as?user=lin', 'lin'],
  ['/login-as?user=lin', 'momo'],
  ['/regenerate', 'lin'],
  ['/logout', 'lin'],
  ['/end-others', 'lin']
]

for (const [path, before] of scenarios) {
  test.serial(`a process that dies before any call of the file system in ${path} with a session of ${before} leaves each list of an owner whole`, async (t) => {
    let steps = 0
    while (await dieAt(t, path, before, steps + 1)) steps++
    t.log(`${steps} calls`)
    t.true(steps > 5)
  })
}

/** Answers whether there was such a step. */
async function dieAt(t: ExecutionContext, path: string, before: string, step: number): Promise<boolean> {
  const dir = tempDir(t)
  const survivor = fileStore({ dir })
  const origin = await startApp(t, createRaceApp(survivor))
  const [browser, other] = [new Client(origin), new Client(origin)]
  await other.get('/login-as?user=lin')
  if (before === 'a visitor') await browser.get('/set?key=cart&value=tea')
  else if (before !== 'nobody') await browser.get(`/login-as?user=${before}`)

  const isDead = await askOneThatDies(t, dir, browser, path, step)
  const sessions = session({ store: survivor, keys: [secret] })
  const stored = await all(sessions.all())
  for (const owner of ['lin', 'momo']) {
    const listed = await all(sessions.ownedBy(owner))
    t.deepEqual(idsOf(listed), idsOf(stored.filter((each) => each.owner === owner)), `${owner}, step ${step}`)
  }
  if (path !== '/end-others') t.true(stored.some(({ id, owner }) => id === idOf(other.cookie('session')!) && owner === 'lin'))

  // The user tries again, and then logs out everywhere.
  t.true((await browser.get(path)).status < 300)
  t.true((await browser.get('/login-as?user=lin')).status < 300)
  t.true((await sessions.endOwnedBy('lin')) > 0)
  await sessions.endOwnedBy('momo')
  t.deepEqual((await all(sessions.all())).filter(({ owner }) => owner !== undefined), [], `step ${step}`)
  await survivor.close!()
  return isDead
}

/** From that call of the file system on, the process does nothing more: as if it had been killed. */
async function askOneThatDies(t: ExecutionContext, dir: string, browser: Client, path: string, step: number): Promise<boolean> {
  const app = createRaceApp(fileStore({ dir }))
  let calls = 0
  app.middleware.unshift((ctx, next) =>
    through(async () => {
      if (++calls < step) return undefined
      ctx.req.socket.destroy()
      return new Promise<never>(() => {})
    }, next)
  )
  const dying = await startApp(t, app)
  await browser.copy().at(dying).get(path).catch(() => undefined)
  return calls >= step
}

function idsOf(infos: readonly SessionInfo[]): string[] {
  return infos.map(({ id }) => id).sort()
}
