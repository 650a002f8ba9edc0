import { createSid, idOf } from '../../../src/cookie/index.js'
import type { Client } from '../../support/client.js'
import { cookieOf, type Case } from '../stage.js'
import { nobody, routes } from './routes.js'

/** The ways in which a victim logs in with the attacker's cookie in the browser. */
const logins = ['/login?user=victim', '/login-in-koa-style?user=victim', '/start-anew?user=victim']

function plantedIn(browser: Client, header: string): Client {
  browser.keep(`${header}; path=/`)
  return browser
}

export const fixation: readonly Case[] = [
  [
    'a sid that was planted in a browser and names no session is never adopted, with whatever right signature it comes',
    async (stage, t) => {
      const { browser, calls } = await stage.start(routes)
      const sid = createSid()
      // Even a signature by the application's own key: that of a session that has ended.
      const header = stage.carriesRecord ? cookieOf(sid, '') : cookieOf(sid)
      for (const path of [...logins, '/set?key=user&value=victim', '/replace?user=victim']) {
        const victim = plantedIn(browser(), header)
        t.is((await victim.get(path)).status, 204, path)
        t.false(victim.cookie('session')!.includes(sid), path)
        t.deepEqual((await plantedIn(browser(), header).get('/who')).json, nobody, path)
      }
      t.false(calls().includes('update'), 'nothing was ever stored under the planted sid')
    }
  ],
  [
    'after a login, the cookie of the session that an attacker had planted shows nothing of the victim and changes nothing',
    async (stage, t) => {
      const { browser } = await stage.start(routes)
      for (const login of logins) {
        const attacker = browser()
        await attacker.get('/set?key=trap&value=set')
        const victim = attacker.copy()
        await victim.get(login)
        await victim.get('/set?key=secret&value=diary')
        t.not(victim.cookie('session'), attacker.cookie('session'))
        const late = attacker.copy()
        for (const path of ['/set?key=evil&value=1', '/login?user=evil', '/regenerate', '/replace?user=evil', '/save', '/reload', '/logout', '/who']) {
          const { status, text } = await late.get(path)
          t.true(status < 500, path)
          t.notRegex(text, /victim|diary/, path)
        }
        const { owner, data } = (await victim.get('/who')).json as { owner: string | null; data: Record<string, unknown> }
        t.is(owner ?? data['user'], 'victim', login)
        t.is(data['secret'], 'diary')
        t.is(data['evil'], undefined)
      }
    }
  ],
  [
    'without signatures, a sid that an attacker has chosen is not adopted either',
    async (stage, t) => {
      if (stage.carriesRecord) return void t.pass('a cookie that carries the record is always signed')
      const { browser } = await stage.start(routes, { signed: false })
      const sid = createSid()
      for (const path of [...logins, '/set?key=user&value=victim']) {
        const victim = plantedIn(browser(), `session=${sid}`)
        await victim.get(path)
        t.not(victim.cookie('session'), sid, path)
        t.deepEqual((await plantedIn(browser(), `session=${sid}`).get('/who')).json, nobody, path)
      }
      // The id of a record, which people may see, is no sid.
      const victim = browser()
      await victim.get('/login?user=victim')
      t.deepEqual((await plantedIn(browser(), `session=${idOf(victim.cookie('session')!)}`).get('/who')).json, nobody)
    }
  ]
]
