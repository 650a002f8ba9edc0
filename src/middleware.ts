import type { Context, Middleware, Next } from 'koa'
import { createTransport } from './cookie/index.js'
import { assertUnassigned, ContextSession, contextSessionOf, defineAccessor, noteSkipped } from './context-property.js'
import { statusOf } from './error-status.js'
import { resolveOptions, type SessionOptions } from './options.js'
import { RecordSources } from './record-sources.js'
import { createRegistry, type SealedSessionInfo, type SessionRegistry } from './registry.js'
import { Migration, openSession, RequestSession, SessionCalls, type Session } from './request/index.js'
import { isPromise, TimedStore } from './store/index.js'

declare module 'koa' {
  interface BaseContext {
    get session(): Session
    set session(value: Session | object | null)
  }
}

/**
 * Makes a middleware that gives each request its session, `ctx.session`. The methods of the middleware list, read and end its sessions
 * outside a request.
 *
 * @throws TypeError for options that are wrong; SessionError `ERR_SESSION_KEYS` for empty keys.
 * @example
 * app.keys = [process.env.SECRET_KEY]
 * app.use(session({ store: fileStore({ dir: 'var/sessions' }), lifetime: 7 * 24 * 3600_000 }))
 */
export function session(options: SessionOptions & { seal: true | 'migrate' }): Middleware & SessionRegistry<SealedSessionInfo>
export function session(options?: SessionOptions): Middleware & SessionRegistry
// One parameter more, because koa-session takes the application as a second argument. To ignore it would hide the mistake.
export function session(options?: SessionOptions, second?: unknown): Middleware & SessionRegistry<SealedSessionInfo> {
  const settings = resolveOptions(options, second)
  const { store, as, skip, saveOnError, storeTimeout } = settings
  const transport = createTransport(settings.cookieRules, settings.carrier)
  const newestWins = settings.cookieRules.cookie.previous.length > 0
  const timedStore = store && new TimedStore(store, storeTimeout)
  timedStore?.start()
  // The scope of the store was made for this middleware, so nobody else reads from it.
  timedStore?.shareReads()
  const sources = new RecordSources(settings, timedStore)
  let keysOfApp: unknown
  /** The application context on which the accessor was defined last. */
  let preparedContext: object | undefined
  const { cookieName } = transport
  const cookieSymbol = Symbol.for(`koa-keepsake cookie ${cookieName}`)

  async function keepsake(ctx: Context, next: Next): Promise<void> {
    const outer = contextSessionOf(ctx, as)
    // This middleware is mounted twice on the way of the request: its outer mount does the work.
    if (outer?.middleware === keepsake) return next() as Promise<void>
    if (skips(ctx)) {
      noteSkipped(ctx, as)
      return next() as Promise<void>
    }
    assertUnassigned(ctx, as)
    if (ctx.app.context !== preparedContext) {
      defineAccessor(ctx.app.context, as)
      preparedContext = ctx.app.context
    }
    if (outer) {
      throw new TypeError(`session(options): another session() has given this request a ctx.${as} already: give one of them another property with the option as`)
    }
    // A browser keeps one cookie of a name, so one of the sessions would be lost.
    if (cookieName !== undefined && cookieSymbol in ctx) {
      throw new TypeError(`session(options): another session() uses the cookie "${cookieName}" in this request: give one of them another cookie with the option name`)
    }
    ;(ctx as { [cookieSymbol]?: true })[cookieSymbol] = true
    keysOfApp = ctx.app.keys
    const tokens = transport.read(ctx, settings.keys ?? ctx.app.keys)
    const response = transport.createResponseToken(ctx, settings.keys)
    const migration = settings.bridges.length > 0 ? new Migration(ctx, settings, response) : undefined
    const requestSession = new RequestSession(sources.forRequest(tokens, settings.keys ?? ctx.app.keys), response, migration)
    const calls = new SessionCalls(requestSession)
    new ContextSession(keepsake, calls, as).attach(ctx)

    let thrown: { error: unknown } | undefined
    try {
      const opening = openSession(requestSession, tokens, newestWins)
      if (isPromise(opening)) await opening
      calls.refreshWithHeaders(ctx)
      await next()
    } catch (error) {
      thrown = { error }
    }
    try {
      const status = thrown ? statusOf(thrown.error, ctx) : ctx.status
      const closing = calls.close({ failed: status >= 500 && !saveOnError })
      if (isPromise(closing)) await closing
    } catch (error) {
      // The handler's own error comes first. Ours was published as an event.
      thrown ??= { error }
    }
    if (requestSession.isUsed) response.vary()
    if (thrown) throw thrown.error
  }

  function skips(ctx: Context): boolean {
    if (!skip) return false
    const answer: unknown = skip(ctx)
    // Nobody waits for the promise, so its failure would end the process.
    if (answer instanceof Promise) answer.catch(() => undefined)
    if (typeof answer === 'object' && answer !== null) throw new TypeError('session(options): skip must return true or false, got an object or a promise')
    return Boolean(answer)
  }

  return Object.assign(keepsake, createRegistry(settings, transport, timedStore, sources, () => keysOfApp))
}
