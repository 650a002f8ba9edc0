import { setTimeout } from 'node:timers/promises'
import { bodyParser } from '@koa/bodyparser'
import Koa from 'koa'
import { session } from '../src/index.js'
import type { Config } from './config.js'
import { brokenPages, checkedForms, missingPages, securityHeaders, staticFiles } from './guard.js'
import { pages } from './pages.js'
import type { Place } from './place.js'
import { sessionPage } from './session-page.js'

export interface AppOptions extends Pick<Config, 'cookieName' | 'lifetime' | 'prefix'> {
  place: Place
  secret: string
  /** Waits where the demo is slow on purpose. @default setTimeout */
  pause?: (milliseconds: number) => Promise<void>
}

const halfDay = 12 * 3_600_000

/** The demo: a Koa app like any other. */
export function createApp({ place, secret, cookieName, prefix, lifetime, pause = (ms) => setTimeout(ms) }: AppOptions): Koa {
  const forgotten = Math.min(lifetime, halfDay)
  const router = pages({ remembered: lifetime, forgotten, slowness: 4000, pause, kept: place.words })
  router.get('/session', sessionPage(place, cookieName))

  const app = new Koa()
  app.keys = [secret]
  app.use(securityHeaders)
  app.use(brokenPages)
  app.use(staticFiles)
  app.use(session({ store: place.base, name: cookieName, prefix, lifetime: forgotten, cookie: { secure: securityOf(cookieName) } }))
  app.use(missingPages)
  app.use(bodyParser({ enableTypes: ['form'], formLimit: '16kb' }))
  app.use(checkedForms)
  app.use(router.routes())
  app.use(router.allowedMethods())
  return app
}

/** Browsers take a cookie with such a name only when it is marked so. */
function securityOf(cookieName: string): true | 'auto' {
  return /^__(?:host|secure)-/i.test(cookieName) ? true : 'auto'
}
