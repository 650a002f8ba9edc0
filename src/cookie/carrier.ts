import type { IncomingHttpHeaders } from 'node:http'
import { isPromise } from 'node:util/types'
import type { Context } from 'koa'
import { assertOptionNames } from '../checks.js'

/** The request from which a carrier reads: Koa's context, or the same names of the request that `sessions.read(request)` was given. */
export interface CarrierRequest {
  readonly req: { readonly headers: IncomingHttpHeaders; readonly url?: string | undefined }
  /** Returns the value of a request header, or an empty string if there is none. */
  get(field: string): string
}

/** Carries the session's token elsewhere than in the cookie, for example in a header for native clients. */
export interface Carrier {
  /** Returns the token that the client sent. Empty or `undefined`: it sent none. It must not be asynchronous. */
  read(ctx: CarrierRequest): string | null | undefined
  /**
   * Gives the client a token to send with its next requests. `undefined`: the session has ended, so the client should forget its token.
   *
   * It may run several times in a response, and runs for the last time just before the headers leave, because Koa removes all headers when it
   * answers an error. So set a header, and do not append to one.
   */
  write(ctx: Context, token: string | undefined): void
  /** The request header that `read` looks at, for the response's `Vary`. @default '*', with which no cache reuses the response */
  vary?: string | undefined
}

// A mapped type over the interface: the compiler keeps the list complete.
const names = Object.keys({ read: 0, write: 0, vary: 0 } satisfies { [Name in keyof Required<Carrier>]: 0 })

/** @param where starts the messages. @throws TypeError that says what is wrong. */
export function assertCarrier(where: string, carrier: Carrier): void {
  const option = `${where}: carrier`
  assertOptionNames(option, carrier, names)
  const example = "{ read: (ctx) => ctx.get('X-Session'), write: (ctx, token) => ctx.set('X-Session', token ?? '') }"
  if (typeof carrier.read !== 'function' || typeof carrier.write !== 'function') throw new TypeError(`${option} must have the functions read and write, for example ${example}`)
  const { vary } = carrier
  if (vary !== undefined && (typeof vary !== 'string' || vary === '')) throw new TypeError(`${option}.vary must be the name of a request header, for example 'X-Session'`)
}

/** The token that the client sent. @throws TypeError when `read` answers anything but a text. */
export function readCarrier(carrier: Carrier, request: CarrierRequest): string | undefined {
  const value: unknown = carrier.read(request)
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string') return value
  const got = isPromise(value) ? 'a promise' : `a value of the type ${typeof value}`
  throw new TypeError(`session(options): carrier.read(ctx) must return the token as a string, or undefined, got ${got}`)
}

/** A request without a context, as a carrier sees it. */
export function carrierRequest(req: CarrierRequest['req']): CarrierRequest {
  return {
    req,
    get(field) {
      const value = req.headers[field.toLowerCase()]
      return Array.isArray(value) ? value.join(', ') : (value ?? '')
    }
  }
}
