import type { SessionInfo, SessionRegistry } from '../../../src/index.js'
import type { Case } from '../stage.js'
import { routes } from './routes.js'

/** Owners that a store might take for a pattern, a path, an operator or a part of a command. */
const owners = ['*', '?', '[a-z]*', '%', '_%', '.*', '../owners', '..', '/', '\\', '{}', '{"$ne":null}', '$owner', "' or '1'='1", '"; --', 'a\r\nflush_all\r\n', '\0', '__proto__', ' ', 'victim\0', 'VICTIM']

/** Prefixes that do the same, behind the prefix of the victim's application or in its stead. */
const prefixes = (own: string): string[] => [
  '', '*', '?', '[a]', '%', '_', '../', '../../', '/', '\\', '{}', '{tag}', '$', "'", '"; --', '\r\nflush_all\r\n', ' ', '\0', '\u202e', '漢', '__proto__', 'x'.repeat(100), `${own}*`, `${own.slice(0, -2)}*`,
  `${own.slice(0, -2)}__`, `${own.slice(0, -2)}%`, own.toUpperCase(), `${own}a`
]

export const patterns: readonly Case[] = [
  [
    "no owner's name makes an application list or end another owner's sessions",
    async (stage, t) => {
      const { browser, sessions } = await stage.start(routes)
      const victim = browser()
      await victim.get('/login?user=victim')
      if (!(await listsOwners(sessions))) return void t.pass('this store lists no owners')
      for (const owner of owners) {
        t.deepEqual(await all(sessions.ownedBy(owner)), [], JSON.stringify(owner))
        const own = browser()
        await own.get(`/login?user=${encodeURIComponent(owner)}`)
        t.deepEqual((await all(sessions.ownedBy(owner))).map((each) => each.owner), [owner], JSON.stringify(owner))
        t.is(await sessions.endOwnedBy(owner), 1, JSON.stringify(owner))
      }
      t.is((await all(sessions.ownedBy('victim'))).length, 1)
      t.is(((await victim.get('/who')).json as { owner: string }).owner, 'victim')
    }
  ],
  [
    "no prefix makes an application read, list, prune or end another application's sessions: it is refused when session() is called, or is apart",
    async (stage, t) => {
      if (stage.carriesRecord) return void t.pass('there is no server side')
      const { browser, sessions } = await stage.start(routes)
      const victim = browser()
      await victim.get('/login?user=victim')
      const cookie = `session=${victim.cookie('session')}`
      let apart = 0
      for (const prefix of prefixes(stage.prefix)) {
        const what = JSON.stringify(prefix)
        let other
        try {
          other = await stage.start(routes, { prefix })
        } catch (error) {
          t.true(error instanceof TypeError && /prefix/.test(error.message), what)
          continue
        }
        apart++
        t.is((await other.browser().get('/who', { headers: { cookie } })).text, '{"owner":null,"isNew":true,"data":{}}', what)
        t.is((await other.browser().get('/logout', { headers: { cookie } })).status, 204, what)
        const own = other.browser()
        await own.get('/login?user=victim')
        t.is(((await own.get('/who')).json as { owner: string }).owner, 'victim', what)
        if (await listsOwners(other.sessions)) {
          t.is((await all(other.sessions.all())).length, 1, what)
          t.is(await other.sessions.endOwnedBy('victim'), 1, what)
        }
        t.is(await other.sessions.prune(), 0, what)
        t.is(((await victim.get('/who')).json as { owner: string }).owner, 'victim', what)
      }
      t.true(apart >= 10)
      if (await listsOwners(sessions)) t.is(await sessions.count(), 1)
    }
  ]
]

async function listsOwners(sessions: SessionRegistry): Promise<boolean> {
  try {
    await all(sessions.ownedBy('nobody'))
    return true
  } catch (error) {
    if (error instanceof TypeError) return false
    throw error
  }
}

async function all(infos: AsyncIterable<SessionInfo>): Promise<SessionInfo[]> {
  const list: SessionInfo[] = []
  for await (const info of infos) list.push(info)
  return list
}
