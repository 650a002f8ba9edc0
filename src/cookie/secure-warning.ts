import type { Context } from 'koa'
import { warnOnce } from '../warn-once.js'

/** Headers that a proxy adds to a request. */
const proxyHeaders = ['forwarded', 'via', 'x-forwarded-proto', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip']

/**
 * Warns once when a `Secure` cookie seems to be sent over plain HTTP: a browser would not keep it, so nobody could log in.
 *
 * It does not warn behind a proxy, which may end TLS while Koa sees plain HTTP, nor on localhost, whose `Secure` cookies browsers keep.
 */
export function warnOfPlainHttp(ctx: Context): void {
  if (ctx.secure || isLocal(ctx.hostname) || proxyHeaders.some((name) => ctx.req.headers[name] !== undefined)) return
  warnOnce(
    'cookie.secure is true, but a request came over plain HTTP and not through a proxy, so the browser does not keep the session cookie: ' +
      "serve HTTPS, let the proxy that ends TLS send X-Forwarded-Proto, or set cookie.secure to 'auto'"
  )
}

function isLocal(hostname: string): boolean {
  return /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\]|::1)$/i.test(hostname)
}
