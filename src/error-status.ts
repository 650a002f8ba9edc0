import { STATUS_CODES } from 'node:http'
import type Application from 'koa'
import type { Context } from 'koa'

/** On an application's context: its error handler answers 404 for a missing file, as Koa 2 does. */
const missingFileIs404 = Symbol.for('koa-keepsake missing file is 404')

/** Returns the status with which Koa's error handler will answer an error. */
export function statusOf(error: unknown, ctx: Context): number {
  const { status, statusCode, code } = (error ?? {}) as { status?: unknown; statusCode?: unknown; code?: unknown }
  if (code === 'ENOENT' && (ctx as { [missingFileIs404]?: boolean })[missingFileIs404] === true) return 404
  const given = status || statusCode
  return typeof given === 'number' && given in STATUS_CODES ? given : 500
}

/**
 * Notes how the error handler of an application answers for a missing file: Koa 2 with 404, Koa 3 with 500. No property tells the two apart, so
 * the text of the handler does. Call this before the handler is wrapped.
 */
export function noteErrorHandler(context: Application['context']): void {
  if (missingFileIs404 in context) return
  const handler: unknown = Reflect.get(context, 'onerror')
  const value = typeof handler === 'function' && Function.prototype.toString.call(handler).includes('ENOENT')
  Object.defineProperty(context, missingFileIs404, { value })
}
