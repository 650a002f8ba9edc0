import { setTimeout } from 'node:timers/promises'
import { Router } from '@koa/router'
import type { Context } from 'koa'
import type { Session } from '../../src/index.js'
import { mostDelay } from './settings.js'

/** The session of the race's applications, and the methods that both libraries have. */
export interface RaceSession extends Pick<Session, 'regenerate' | 'increment' | 'loginAs'> {
  user?: string
  count?: number
  upload?: number
  [key: string]: unknown
}

/** The lines that users of the two libraries write differently. */
export interface Dialect {
  /** Counts one up. */
  count: (session: RaceSession) => void
  /** Makes the session Momo's and gives it a new secret. */
  secureLogin: (session: RaceSession) => Promise<void>
}

/** The handlers of the race. Both libraries get the same ones, apart from the dialect. */
export function handlers({ count, secureLogin }: Dialect): Router {
  return new Router()
    .get('/read', (ctx) => {
      ctx.body = ctx.session
    })
    .post('/login', (ctx) => {
      const session = sessionOf(ctx)
      session.user = 'Momo'
      ctx.status = 204
    })
    .post('/secure-login', async (ctx) => {
      await secureLogin(sessionOf(ctx))
      ctx.status = 204
    })
    .post('/logout', (ctx) => {
      ctx.session = null
      ctx.status = 204
    })
    .post('/set', async (ctx) => {
      const session = sessionOf(ctx)
      const [key, value] = [String(ctx.query['key']), Number(ctx.query['value'])]
      await work(ctx)
      session[key] = value
      ctx.status = 204
    })
    .post('/count', (ctx) => answerCount(ctx, count))
    .post('/plain-count', (ctx) => answerCount(ctx, plainCount))
    .post('/upload', (ctx) => upload(ctx))
}

/** Works in both libraries. */
export function plainCount(session: RaceSession): void {
  session.count = (session.count ?? 0) + 1
}

async function answerCount(ctx: Context, count: Dialect['count']): Promise<void> {
  const session = sessionOf(ctx)
  await work(ctx)
  count(session)
  ctx.body = String(session.count)
}

/** A slow request: it reads the session, and then takes as long as its client sends. */
async function upload(ctx: Context): Promise<void> {
  const session = sessionOf(ctx)
  const { user } = session
  // An interim response: the client then knows that the session was read.
  ctx.res.writeProcessing()
  let size = 0
  for await (const chunk of ctx.req) size += (chunk as Buffer).length
  session.upload = size
  ctx.body = { user }
}

/** Stands for a query to a database or a call of another service. */
async function work(ctx: Context): Promise<void> {
  const wait = Number(ctx.query['wait'] ?? 0)
  if (!(wait <= mostDelay)) ctx.throw(400)
  await setTimeout(wait)
}

function sessionOf(ctx: Context): RaceSession {
  return ctx.session
}
