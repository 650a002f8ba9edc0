import { setTimeout } from 'node:timers/promises'
import { bodyParser } from '@koa/bodyparser'
import Koa from 'koa'
import { session, type SessionOptions } from '../src/index.js'
import { brokenPages, checkedForms, missingPages, securityHeaders, staticFiles } from './guard.js'
import { devicePages } from './devices-page.js'
import { pages } from './pages.js'
import type { Storage } from './storage.js'
import { racePages } from './race/race-page.js'
import { sessionPage } from './session-page.js'

export interface AppOptions {
  /** What `session()` takes, with keys. */
  options: SessionOptions
  storage: Storage
  /** Waits where the demo is slow on purpose. @default setTimeout */
  pause?: (milliseconds: number) => Promise<void>
}

const day = 24 * 3_600_000

/** The demo: a Koa app like any other. */
export function createApp({ options, storage, pause = (ms) => setTimeout(ms) }: AppOptions): Koa {
  const { lifetime: remembered = 31 * day } = options
  const router = pages({ remembered, forgotten: Math.min(remembered, day / 2), slowness: 4000, pause, storage })
  router.get('/session', sessionPage(storage, options))
  const sessions = session(options)
  devicePages(router, sessions, storage.listsOwners)
  racePages(router)

  const app = new Koa()
  app.use(securityHeaders)
  app.use(brokenPages)
  app.use(staticFiles)
  app.use(sessions)
  app.use(missingPages)
  app.use(bodyParser({ enableTypes: ['form'], formLimit: '16kb' }))
  app.use(checkedForms)
  app.use(router.routes())
  app.use(router.allowedMethods())
  return app
}
