/**
 * Returns the values of a cookie in a `Cookie` header, at most `most` of them, in the order of the header (RFC 6265 section 5.4).
 *
 * It returns them as they are, except that it removes one pair of double quotes around a value (section 4.1.1). It trims only spaces and tabs
 * around a pair: `trim()` would also remove bytes such as 0xA0, so that one value would have several forms.
 *
 * @param nameAndEquals the cookie's name with `=` after it.
 */
export function cookieValues(nameAndEquals: string, header: string, most: number): string[] {
  const values: string[] = []
  let start = header.indexOf(nameAndEquals)
  while (start !== -1 && values.length < most) {
    if (!isStartOfPair(header, start)) {
      start = header.indexOf(nameAndEquals, start + 1)
      continue
    }
    const semicolon = header.indexOf(';', start)
    const end = semicolon === -1 ? header.length : semicolon
    values.push(valueBetween(header, start + nameAndEquals.length, end))
    start = header.indexOf(nameAndEquals, end)
  }
  return values
}

function isStartOfPair(header: string, index: number): boolean {
  let before = index - 1
  while (isSpaceOrTab(header, before)) before--
  return before < 0 || header[before] === ';'
}

function valueBetween(header: string, start: number, stop: number): string {
  let end = stop
  while (end > start && isSpaceOrTab(header, end - 1)) end--
  const isQuoted = end - start > 1 && header[start] === '"' && header[end - 1] === '"'
  return isQuoted ? header.slice(start + 1, end - 1) : header.slice(start, end)
}

function isSpaceOrTab(header: string, index: number): boolean {
  const character = header[index]
  return character === ' ' || character === '\t'
}
