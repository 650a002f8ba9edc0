import type { Context } from 'koa'
import type { Case } from '../stage.js'
import { routes } from './routes.js'

/** What a visitor without a login can make an application do, as often as the visitor likes. */
const attacks = [
  ['/set?key=a&value=1'], ['/set?key=a&value=1', '/regenerate', '/regenerate'], ['/set?key=a&value=1', '/logout', '/set?key=a&value=2'], ['/replace?user=x', '/save', '/reload'],
  ['/large'], ['/for-ever'], ['/set?key=a&value=1', '/login-in-koa-style?user=x'], ['/set?key=a&value=1', '/take?key=a'], ['/start-anew?user=x', '/start-anew?user=y']
]

export const filling: readonly Case[] = [
  [
    'a flood of visitors does not remove the session of a user who is logged in',
    async (stage, t) => {
      const { browser } = await stage.start({
        ...routes,
        '/large': (ctx: Context) => ctx.session.set('large', 'x'.repeat(2500)),
        '/for-ever': (ctx: Context) => {
          ctx.session.lifetime = 900 * 365 * 24 * 3_600_000
          ctx.session.permanent = true
          ctx.session.set('a', 1)
        }
      })
      const users = Array.from({ length: 4 }, () => browser())
      for (const [at, user] of users.entries()) await user.get(`/login?user=user${at}`)
      for (let round = 0; round < 20; round++) {
        const visits = attacks.map(async (paths) => {
          const visitor = browser()
          for (const path of paths) t.true((await visitor.get(path)).status < 300, path)
        })
        await Promise.all(visits)
      }
      for (const [at, user] of users.entries()) t.is(((await user.get('/who')).json as { owner: string | null }).owner, `user${at}`)
    }
  ]
]
