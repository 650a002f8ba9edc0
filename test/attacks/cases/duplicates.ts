import { createSid } from '../../../src/cookie/index.js'
import { cookieOf, type Case } from '../stage.js'
import { nobody, routes } from './routes.js'

export const duplicates: readonly Case[] = [
  [
    "an attacker's cookies beside the victim's, in any order, never open the attacker's session for the victim",
    async (stage, t) => {
      const { browser } = await stage.start(routes)
      const [victim, attacker] = [browser(), browser()]
      await victim.get('/login?user=victim')
      await attacker.get('/login?user=attacker')
      const [own, planted] = [victim, attacker].map((each) => `session=${each.cookie('session')}`) as [string, string]
      const dead = stage.carriesRecord ? cookieOf(createSid(), '') : cookieOf(createSid())
      const forged = `session=${'A'.repeat(43)}.${'A'.repeat(43)}`
      const headers: readonly [what: string, header: string, owner: string | null][] = [
        ['forged ones', `${forged}; ${own}; ${forged}`, 'victim'],
        ['a dead one before', `${dead}; ${own}`, 'victim'],
        ['a dead one behind', `${own}; ${dead}`, 'victim'],
        ['the same twice', `${own}; ${own}`, 'victim'],
        ['quoted and bare', `${own.replace(/=(.*)/, '="$1"')}; ${own}`, 'victim'],
        ['a live one before', `${planted}; ${own}`, null],
        ['a live one behind', `${own}; ${planted}`, null],
        ['a live one among forged ones', `${forged}; ${planted}; ${forged}; ${own}`, null],
        ['eight, of which one opens a session', `${`${forged.replace('A.', 'B.')}; `.repeat(7)}${own}`, 'victim'],
        ['nine of the same', Array(9).fill(own).join('; '), null],
        ['eight forged ones before', `${`${forged}; `.repeat(8)}${own}`, null],
        ["eight of the attacker's before", `${`${planted}; `.repeat(8)}${own}`, null]
      ]
      for (const [what, cookie, owner] of headers) {
        const { status, json } = await browser().get('/who', { headers: { cookie } })
        t.is(status, 200, what)
        t.is((json as { owner: string | null }).owner, owner, what)
        if (owner === null) t.deepEqual(json, nobody, what)
      }
    }
  ],
  [
    'cookies of other names, other cases and other places in the header are not looked at',
    async (stage, t) => {
      const { browser } = await stage.start(routes)
      const victim = browser()
      await victim.get('/login?user=victim')
      const value = victim.cookie('session')!
      for (const cookie of [
        `Session=${value}`, `SESSION=${value}`, `xsession=${value}`, `session2=${value}`, `session.sig=${value}`, `session =${value}`, `$session=${value}`, `__Host-session=${value}`,
        `theme=session=${value}`, `theme="x; Session=${value}"`, `session%3D${value}`, `,session=${value}`, `theme=x,session=${value}`, `session:${value}`, `session=${value},`
      ]) {
        t.deepEqual((await browser().get('/who', { headers: { cookie } })).json, nobody, cookie.replace(value, '…'))
      }
    }
  ]
]
