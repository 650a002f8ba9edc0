/** Matches one directive, which may have commas inside of quotes: `private="set-cookie, x"`. */
const directivePattern = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g

/** A `Cache-Control` value that was made private. */
export interface PrivateCacheControl {
  readonly value: string
  /** `true` if the original value asked shared caches to store the response. Other values only allow it. */
  readonly wasShared: boolean
}

/**
 * Makes a `Cache-Control` value private if it lets shared caches store the response. `undefined`: it does not, and stays as it is.
 *
 * A shared cache that stores a `Set-Cookie` gives one visitor's session to the next (RFC 9111 section 7.3). Only `private` and `no-store`
 * forbid storing. With `no-cache`, a cache asks the server before it serves the response, and serves it with the first visitor's cookie if the
 * answer is 304. With `must-revalidate` and the like, `Expires` or the cache's own estimate can make the response fresh.
 */
export function privateCacheControl(given: string): PrivateCacheControl | undefined {
  const directives = (given.match(directivePattern) ?? []).map((directive) => directive.trim()).filter((directive) => directive !== '')
  // `private="x"` applies only to the header x.
  if (directives.some((directive) => /^(?:private|no-store)$/i.test(directive))) return undefined
  const names = directives.map((directive) => directive.toLowerCase().replace(/\s*=.*$/s, ''))
  const kept = directives.filter((_, index) => !['public', 's-maxage', 'private'].includes(names[index]!))
  return { value: ['private', ...kept].join(', '), wasShared: names.some((name) => ['public', 'max-age', 's-maxage'].includes(name)) }
}
