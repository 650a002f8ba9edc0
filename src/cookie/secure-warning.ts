import type { Context } from 'koa'
import { warnOnce } from '../warn-once.js'

/** Headers with which a proxy says that it passed the request on. */
const proxyHeaders = ['forwarded', 'via', 'x-forwarded-proto', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip']

/**
 * Warns once when a `Secure` cookie is sent over what looks like plain HTTP: the browser would not keep it, and nobody can log in.
 *
 * Koa sees plain HTTP also behind a proxy that ends TLS. And browsers keep `Secure` cookies of localhost.
 */
export function warnOfPlainHttp(ctx: Context): void {
  if (ctx.secure || isLocal(ctx.hostname) || proxyHeaders.some((name) => ctx.req.headers[name] !== undefined)) return
  warnOnce(
    'cookie.secure is true, but a request came over plain HTTP and no proxy has marked it, so the browser does not keep the session cookie: ' +
      "serve HTTPS, let the proxy that ends TLS send X-Forwarded-Proto, or set cookie.secure to 'auto'"
  )
}

function isLocal(hostname: string): boolean {
  return /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\]|::1)$/i.test(hostname)
}
