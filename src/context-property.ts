import { inspect } from 'node:util'
import type Application from 'koa'
import type { Context, Middleware } from 'koa'
import { isDataObject } from './checks.js'
import { defineErrorHeaders, type ResponseCookie } from './cookie/index.js'
import { createSessionProxy, type Session, type SessionCalls } from './request/index.js'

/** One request's use of one middleware: what `ctx.session` gives and takes. */
export class Visit {
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

  get response(): ResponseCookie {
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
      // Copied first: it may be made of the session's own values.
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

/** The use of the middleware with that property by this request. */
export function visitOf(ctx: Context, as: string): Visit | undefined {
  return (ctx as { [key: symbol]: unknown })[symbolOf(as)] as Visit | undefined
}

/** @throws TypeError when a middleware before this one has assigned the property. */
export function assertUnassigned(ctx: Context, as: string): void {
  if (Object.hasOwn(ctx, as)) {
    throw new TypeError(`ctx.${as} was assigned before session() ran: mount session() before the middleware that uses ctx.${as}`)
  }
}

/**
 * Defines `ctx.session` on the application's context, once: an accessor defined on each `ctx` costs 37 µs a request.
 *
 * @throws TypeError when the property is somebody else's.
 */
export function defineAccessor(context: Application['context'], as: string): void {
  const mark = markOf(as)
  if (mark in context) return
  if (as in context) {
    throw new TypeError(`session(options): ctx.${as} is defined already on this application: give one of the two another name with the option as`)
  }
  Object.defineProperty(context, mark, { value: true })
  Object.defineProperty(context, as, {
    configurable: true,
    get(this: Context) {
      return visitOf(this, as)?.session
    },
    set(this: Context, value: unknown) {
      const visit = visitOf(this, as)
      if (!visit) throw new TypeError(`ctx.${as}: this request has no session: it was skipped, or session() is mounted after this`)
      visit.assign(value)
    }
  })
  defineErrorHeaders(context, (errorContext) => visitOf(errorContext, as)?.response)
}

// `Symbol.for`, so that the ESM and the CommonJS build share one accessor on an application.
const symbols = new Map<string, symbol>()

function symbolOf(as: string): symbol {
  let symbol = symbols.get(as)
  if (!symbol) symbols.set(as, (symbol = Symbol.for(`koa-keepsake visit ${as}`)))
  return symbol
}

function markOf(as: string): symbol {
  return Symbol.for(`koa-keepsake accessor ${as}`)
}
