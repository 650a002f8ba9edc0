/** Directives, with commas inside of quotes: `private="set-cookie, x"`. */
const directivePattern = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g

/**
 * A `Cache-Control` value with which no shared cache stores a response, if the given one lets it; otherwise `undefined`.
 *
 * A shared cache that stores a `Set-Cookie` hands one visitor's session to the next (RFC 9111 section 7.3). A value without `public` and
 * without a maximum age was not chosen to share the response, so it stays as the application wrote it.
 */
export function privateCacheControl(value: string): string | undefined {
  const directives = (value.match(directivePattern) ?? []).map((directive) => directive.trim()).filter((directive) => directive !== '')
  const names = directives.map((directive) => directive.toLowerCase().replace(/\s*=.*$/s, ''))
  // `private="x"` is about the header x only.
  const isPrivate = directives.some((directive) => /^(?:private|no-store)$/i.test(directive))
  if (isPrivate || !names.some((name) => ['public', 'max-age', 's-maxage'].includes(name))) return undefined
  const kept = directives.filter((_, at) => !['public', 's-maxage', 'private'].includes(names[at]!))
  return ['private', ...kept].join(', ')
}
