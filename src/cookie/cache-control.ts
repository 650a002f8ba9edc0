/** Matches one directive, which may have commas inside of quotes: `private="set-cookie, x"`. */
const directivePattern = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g

/**
 * Makes a `Cache-Control` value private if it lets shared caches store the response. `undefined`: it does not, and stays as it is.
 *
 * A shared cache that stores a `Set-Cookie` gives one visitor's session to the next (RFC 9111 section 7.3). A value without `public` and
 * without a maximum age does not ask to share the response.
 */
export function privateCacheControl(value: string): string | undefined {
  const directives = (value.match(directivePattern) ?? []).map((directive) => directive.trim()).filter((directive) => directive !== '')
  const names = directives.map((directive) => directive.toLowerCase().replace(/\s*=.*$/s, ''))
  // `private="x"` applies only to the header x.
  const isPrivate = directives.some((directive) => /^(?:private|no-store)$/i.test(directive))
  if (isPrivate || !names.some((name) => ['public', 'max-age', 's-maxage'].includes(name))) return undefined
  const kept = directives.filter((_, at) => !['public', 's-maxage', 'private'].includes(names[at]!))
  return ['private', ...kept].join(', ')
}
