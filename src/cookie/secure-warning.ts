import type { Context } from 'koa'
import { warnOnce } from '../warn-once.js'

/** Headers that a proxy adds to a request. */
const proxyHeaders = ['forwarded', 'via', 'x-forwarded-proto', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip']

/** Warns once when the attribute `Secure` seems to be wrong in the application's setup. @param secure the option `cookie.secure`. */
export function warnOfWrongSecure(ctx: Context, secure: boolean | 'auto'): void {
  if (secure === true) warnOfPlainHttp(ctx)
  else if (secure === 'auto') warnOfUntrustedProxy(ctx)
}

/**
 * Warns once when a `Secure` cookie seems to be sent over plain HTTP: a browser would not keep it, so nobody could log in.
 *
 * It does not warn behind a proxy, which may end TLS while Koa sees plain HTTP, nor on localhost, whose `Secure` cookies browsers keep.
 */
function warnOfPlainHttp(ctx: Context): void {
  if (ctx.secure || isLocal(ctx.hostname) || proxyHeaders.some((name) => ctx.req.headers[name] !== undefined)) return
  warnOnce(
    'cookie.secure is true, but a request came over plain HTTP and not through a proxy, so the browser does not keep the session cookie: ' +
      "serve HTTPS, let the proxy that ends TLS send X-Forwarded-Proto, or set cookie.secure to 'auto'"
  )
}

/** Warns once when a proxy has ended TLS and Koa does not know it. The header is used for nothing else, because any client can send it. */
function warnOfUntrustedProxy(ctx: Context): void {
  const { 'x-forwarded-proto': proto } = ctx.req.headers
  if (proto === undefined || ctx.app.proxy || ctx.secure) return
  if (!/^\s*https\b/i.test(String(proto))) return
  warnOnce(
    'a request came with X-Forwarded-Proto: https, but app.proxy is not set, so Koa takes it for plain HTTP and the session cookie is not Secure: ' +
      'behind a proxy that sets this header, set app.proxy = true'
  )
}

function isLocal(hostname: string): boolean {
  return /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\]|::1)$/i.test(hostname)
}
