import { inspect } from 'node:util'
import type Application from 'koa'
import type { Context, Middleware } from 'koa'
import { isDataObject } from './checks.js'
import { defineErrorHeaders, type ResponseToken } from './cookie/index.js'
import { noteErrorHandler } from './error-status.js'
import { createSessionProxy, type Session, type SessionCalls } from './request/index.js'
import { warnOnce } from './warn-once.js'

/** `ctx.session` of one request: the value that the property has, and what an assignment to it does. */
export class ContextSession {
  readonly middleware: Middleware
  readonly #calls: SessionCalls
  readonly #as: string
  #proxy: Session | undefined

  constructor(middleware: Middleware, calls: SessionCalls, as: string) {
    this.middleware = middleware
    this.#calls = calls
    this.#as = as
  }

  attach(ctx: Context): void {
    ;(ctx as { [key: symbol]: unknown })[symbolOf(this.#as)] = this
  }

  get response(): ResponseToken {
    return this.#calls.session.response
  }

  get session(): Session {
    return (this.#proxy ??= createSessionProxy(this.#calls))
  }

  assign(value: unknown): void {
    if (value !== null && !isDataObject(value)) {
      throw new TypeError(`ctx.${this.#as}: expected an object with the data, or null to destroy the session`)
    }
    if (value === null) this.#calls.end()
    else if (value !== this.#proxy) {
      // Copy the values first: they may be the session's own, and `clear()` would remove them.
      const data = { ...value }
      this.session.clear()
      this.session.update(data)
    }
  }

  // The sid must not get into logs of the context.
  [inspect.custom](): string {
    return `[ctx.${this.#as}]`
  }
}

/** The session that a request has under that property, if a middleware has given it one. */
export function contextSessionOf(ctx: Context, as: string): ContextSession | undefined {
  return (ctx as { [key: symbol]: unknown })[symbolOf(as)] as ContextSession | undefined
}

/** Notes that the option `skip` selected the request, so that it has no session on purpose. */
export function noteSkipped(ctx: Context, as: string): void {
  ;(ctx as { [key: symbol]: unknown })[skippedSymbol] = as
}

/** Warns once that a middleware reads the session too early. A shared one may do that on purpose, so it gets `undefined` and no error. */
function warnOfEarlyRead(ctx: Partial<Context>, as: string): void {
  // Code that inspects the application's context itself reads the property without a request.
  if (ctx.req === undefined || (ctx as { [key: symbol]: unknown })[skippedSymbol] === as) return
  warnOnce(
    `ctx.${as} was read in a request for which session() has not run, so it was undefined: mount session() before the middleware that reads ctx.${as}`
  )
}

/** @throws TypeError when a middleware before this one has assigned the property. */
export function assertUnassigned(ctx: Context, as: string): void {
  if (Object.hasOwn(ctx, as)) {
    throw new TypeError(`ctx.${as} was assigned before session() ran: mount session() before the middleware that uses ctx.${as}`)
  }
}

/**
 * Defines `ctx.session` on the application's context, once: to define an accessor on each `ctx` costs 37 µs a request.
 *
 * @throws TypeError when the application or another library has defined the property.
 */
export function defineAccessor(context: Application['context'], as: string): void {
  const definedSymbol = definedSymbolOf(as)
  if (definedSymbol in context) return
  if (as in context) {
    throw new TypeError(`session(options): this application has defined ctx.${as} already: choose another property with the option as`)
  }
  Object.defineProperty(context, definedSymbol, { value: true })
  Object.defineProperty(context, as, {
    configurable: true,
    get(this: Context) {
      const contextSession = contextSessionOf(this, as)
      if (!contextSession) warnOfEarlyRead(this, as)
      return contextSession?.session
    },
    set(this: Context, value: unknown) {
      const contextSession = contextSessionOf(this, as)
      if (!contextSession) {
        throw new TypeError(`ctx.${as}: this request has no session: mount session() before this middleware, and look at its option skip`)
      }
      contextSession.assign(value)
    }
  })
  noteErrorHandler(context)
  defineErrorHeaders(context, (errorContext) => contextSessionOf(errorContext, as)?.response)
}

// `Symbol.for`, so that the ESM and the CommonJS build share one accessor on an application.
const symbols = new Map<string, symbol>()

function symbolOf(as: string): symbol {
  let symbol = symbols.get(as)
  if (!symbol) symbols.set(as, (symbol = Symbol.for(`koa-keepsake session ${as}`)))
  return symbol
}

const skippedSymbol = Symbol.for('koa-keepsake skipped')

/** The symbol that says that the accessor is defined on a context. */
function definedSymbolOf(as: string): symbol {
  return Symbol.for(`koa-keepsake accessor ${as}`)
}
