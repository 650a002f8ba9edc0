import { randomBytes } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import { inspect } from 'node:util'
import type { Context } from 'koa'
import type { Client } from '../../support/client.js'
import { idOf, recordEvents } from '../../support/events.js'
import { secret, type Routes } from '../../support/story.js'
import { recordLog } from '../log.js'
import type { Case, Target } from '../stage.js'
import { routes } from './routes.js'

/** Everything that `inspect` can show. */
const everything = { depth: 12, showHidden: true, getters: true, maxArrayLength: 1000, maxStringLength: 100_000, breakLength: Infinity } as const

/** What requests do with a session, also what fails. */
const paths = [
  '/who', '/set?key=theme&value=dark', '/take?key=theme', '/save', '/reload', '/regenerate', '/login?user=momo', '/login-in-koa-style?user=momo', '/value-error', '/too-large',
  '/handler-error', '/not-found', '/unauthorized', '/look', '/late', '/start-anew?user=momo', '/replace?user=momo', '/logout', '/nowhere'
]

/** @param canary the session's data. @param seen gets what a logger may print of the context. */
function leaking(canary: string, seen: string[]): Routes {
  return {
    ...routes,
    '/value-error': (ctx) => ctx.session.set('diary', { text: canary, bad: () => canary }),
    '/too-large': (ctx) => ctx.session.set('diary', canary.repeat(10_000)),
    '/handler-error': (ctx) => {
      ctx.session.set('more', canary)
      throw new Error('the handler failed')
    },
    '/not-found': (ctx) => ctx.throw(404),
    '/unauthorized': (ctx) => {
      ctx.session.set('more', canary)
      ctx.throw(401, { headers: { 'WWW-Authenticate': 'Basic' } })
    },
    '/look': (ctx) => void seen.push(shownOf(ctx)),
    '/late': ({ session }) => void setImmediate(() => session.set('more', canary))
  }
}

/** What a logger may print of the context, without the header that the client itself has sent. */
function shownOf(ctx: Context): string {
  const texts = [inspect(ctx, everything), JSON.stringify(ctx), inspect(ctx.response, everything), inspect(ctx.state, everything)].join('\n')
  return ctx.get('cookie') === '' ? texts : texts.replaceAll(ctx.get('cookie'), 'the Cookie header')
}

/** What clients get to see, and the cookies that they are sent. */
class Clients {
  readonly cookies = new Set<string>()
  readonly answers: string[] = []

  async visit(client: Client, path: string): Promise<void> {
    const { status, headers, text, setCookie } = await client.get(path)
    for (const line of setCookie) this.cookies.add(/^[^=]*=([^;]*)/.exec(line)![1]!)
    this.answers.push(JSON.stringify({ ...headers, 'set-cookie': 'the Set-Cookie header' }))
    // The session's own client may see its data.
    if (!(status === 200 && path === '/who')) this.answers.push(text)
    if (status >= 500 && text !== STATUS_CODES[status]) throw new Error(`${path} answers ${status} with another text: ${text}`)
  }

  /** The sids, the signatures, and the records that cookies carry. */
  get secrets(): string[] {
    return [...this.cookies].flatMap((value) => value.split('.')).filter((part) => part !== '')
  }

  get ids(): string[] {
    return [...this.cookies].filter((value) => value !== '').map(idOf)
  }
}

export const leaks: readonly Case[] = [
  [
    'no sid, signature, secret or data of a session is in logs, errors, events or what inspect shows, and no id, path or message reaches a client, whatever fails',
    async (stage, t) => {
      const log = recordLog(t)
      const events = recordEvents(t)
      const canary = `canary-${randomBytes(9).toString('hex')}`
      const seen: string[] = []
      const target = await stage.start(leaking(canary, seen), { permanent: true, touchAfter: 0 })
      // What Koa does where an application has no listener of its own.
      target.app.on('error', (error: Error) => target.app.onerror(error))
      const clients = new Clients()
      const { refuseWrites, breakDown, texts } = stage.opened
      for (const fail of [async () => async () => undefined, refuseWrites, breakDown]) {
        const client = target.browser()
        await clients.visit(client, `/set?key=diary&value=${canary}`)
        await clients.visit(client, '/login?user=momo')
        const mend = await fail?.()
        for (const path of paths) {
          await clients.visit(client, path)
          await clients.visit(target.browser(), path)
        }
        seen.push(...(await outsideRequests(target, client)))
        await mend?.()
        await new Promise(setImmediate)
      }
      t.true(target.errors.length > (breakDown ? 20 : 4), String(target.errors.length))
      t.true(clients.cookies.size > 5)
      const errors = target.errors.map(shownError)
      const shown = [...log, ...errors, ...events.map((event) => inspect(event, everything)), inspect(stage.opened.store(), everything), inspect(target.sessions, everything), ...seen]
      for (const hidden of [...clients.secrets, secret, canary]) {
        const found = shown.find((text) => text.includes(hidden))
        t.is(found, undefined, hidden)
      }
      const answers = clients.answers.join('\n')
      for (const hidden of [...clients.secrets, ...clients.ids, secret, canary, '/tmp/', 'SessionError', 'ECONN', 'sessions']) t.false(answers.includes(hidden), hidden)
      const stored = (await texts?.dump()) ?? ''
      for (const hidden of [...clients.secrets, secret]) t.false(stored.includes(hidden), 'what is stored opens no session')
    }
  ]
]

function shownError(error: Error): string {
  return [inspect(error, everything), error.stack, JSON.stringify(error), JSON.stringify((error as { headers?: object }).headers)].join('\n')
}

/** What the methods of the middleware throw, as a logger prints it. */
async function outsideRequests({ sessions }: Target, client: Client): Promise<string[]> {
  const cookie = `session=${client.cookie('session')}`
  const calls = [
    () => sessions.find(idOf(cookie)), () => sessions.end(idOf(cookie)), () => sessions.count(), () => sessions.prune(), () => sessions.endOwnedBy('nobody'),
    () => drain(sessions.ownedBy('momo')), () => drain(sessions.all()), () => sessions.read({ headers: { cookie: `${cookie}x` } })
  ]
  const results = await Promise.allSettled(calls.map((call) => call()))
  return results.map((result) => (result.status === 'rejected' ? shownError(result.reason as Error) : ''))
}

async function drain(listing: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of listing);
}
