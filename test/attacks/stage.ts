import { randomBytes } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import type Koa from 'koa'
import { session, type CookieStore, type SessionRegistry, type SessionStore } from '../../src/index.js'
import { createSid, idOf, resolveCookieOptions, SessionCookie } from '../../src/cookie/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { createApp, routesOf, secret, type Options, type Routes } from '../support/story.js'
import type { Opened } from './backends/index.js'

/** One attack: what must hold all the same, and what shows it. */
export type Case = readonly [title: string, show: (stage: Stage, t: ExecutionContext) => Promise<void>]

/** An application under attack. */
export interface Target {
  readonly app: Koa
  readonly origin: string
  readonly sessions: SessionRegistry
  /** The methods of the store that were called, in order. */
  readonly calls: () => readonly string[]
  /** What the application's `error` event reported. */
  readonly errors: readonly Error[]
  /** Another browser. */
  readonly browser: () => Client
}

/** What an attack has to work with: a backend, and a prefix that nobody else uses. */
export class Stage {
  readonly name: string
  readonly opened: Opened
  readonly prefix = `attack-${randomBytes(6).toString('hex')}:`
  readonly #t: ExecutionContext

  constructor(name: string, opened: Opened, t: ExecutionContext) {
    this.name = name
    this.opened = opened
    this.#t = t
  }

  /** The cookie carries the record, so there is no server side. */
  get carriesRecord(): boolean {
    return 'carry' in this.opened.store()
  }

  /** Starts an application. */
  async start(routes: Routes, options: Options = {}): Promise<Target> {
    const app = createApp()
    const { sessions, calls } = this.mount(app, options)
    app.use(routesOf(routes))
    const errors: Error[] = []
    app.on('error', (error: Error) => errors.push(error))
    const origin = await startApp(this.#t, app)
    return { app, origin, sessions, calls, errors, browser: () => new Client(origin) }
  }

  /** Adds a `session()` with a store of its own to an application. */
  mount(app: Koa, options: Options = {}): Pick<Target, 'sessions' | 'calls'> {
    const store = this.opened.store()
    if (isCookieStore(store)) {
      const sessions = session({ store, ...options })
      app.use(sessions)
      return { sessions, calls: () => [] }
    }
    const calls: string[] = []
    const sessions = session({ store: counting(store, calls), prefix: this.prefix, storeTimeout: 30_000, ...options })
    app.use(sessions)
    return { sessions, calls: () => calls }
  }

  /**
   * Puts a text where the record of a session is kept, and answers the `Cookie` header that opens this session.
   *
   * @param textOf makes the text from the id of the session.
   */
  async plant(textOf: (id: string) => string): Promise<string> {
    const sid = createSid()
    const text = textOf(idOf(sid))
    if (this.carriesRecord) return cookieOf(sid, Buffer.from(text).toString('base64url'))
    await this.opened.texts!.put(this.prefix, idOf(sid), text)
    return cookieOf(sid)
  }
}

/** The `Cookie` header of a session, signed with the keys of the applications here. */
export function cookieOf(sid: string, payload?: string): string {
  const cookie = new SessionCookie({
    name: 'session', signed: true, carriesRecord: payload !== undefined, cookie: resolveCookieOptions('test', 'session')
  })
  const line = cookie.write(sid, payload, [secret], false, undefined)
  return line.slice(0, line.indexOf(';'))
}

function isCookieStore(store: SessionStore | CookieStore): store is CookieStore {
  return 'carry' in store
}

/** Notes the calls of a store. It stays the same object, because the middleware knows the stores that read strictly themselves. */
function counting(store: SessionStore, calls: string[]): SessionStore {
  const inner = { ...store }
  return Object.assign(store, {
    read: (id) => (calls.push('read'), inner.read(id)),
    create: (id, record) => (calls.push('create'), inner.create(id, record)),
    update: (id, recipe, seen) => (calls.push('update'), inner.update(id, recipe, seen)),
    destroy: (id) => (calls.push('destroy'), inner.destroy(id)),
    ...(inner.scope && { scope: (given) => counting(inner.scope!(given), calls) })
  } satisfies Partial<SessionStore>)
}
