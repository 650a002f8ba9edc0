/** Directives, with commas inside of quotes: `private="set-cookie, x"`. */
const directivePattern = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g

/** A `Cache-Control` value that was made private. */
export interface MadePrivate {
  readonly value: string
  /** Whether the value before invited shared caches to store the response. Others may let them, but not on purpose. */
  readonly wasShared: boolean
}

/**
 * A `Cache-Control` value with which no shared cache stores a response, if the given one lets it; otherwise `undefined`.
 *
 * A shared cache that stores a `Set-Cookie` hands one visitor's session to the next (RFC 9111 section 7.3). Only `private` and `no-store`
 * forbid it: with `no-cache`, a cache asks before it serves the response, and serves it with the first visitor's cookie if the answer is
 * 304; with `must-revalidate` and the like, `Expires` or a guess of the cache makes the response fresh.
 */
export function privateCacheControl(given: string): MadePrivate | undefined {
  const directives = (given.match(directivePattern) ?? []).map((directive) => directive.trim()).filter((directive) => directive !== '')
  // `private="x"` is about the header x only.
  if (directives.some((directive) => /^(?:private|no-store)$/i.test(directive))) return undefined
  const names = directives.map((directive) => directive.toLowerCase().replace(/\s*=.*$/s, ''))
  const kept = directives.filter((_, at) => !['public', 's-maxage', 'private'].includes(names[at]!))
  return { value: ['private', ...kept].join(', '), wasShared: names.some((name) => ['public', 'max-age', 's-maxage'].includes(name)) }
}
