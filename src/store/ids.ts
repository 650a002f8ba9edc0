const idPattern = /^[0-9a-f]{64}$/

/** Refuses an id that is not a SHA-256, because ids become parts of keys and paths. */
export function assertId(id: string): void {
  if (!isId(id)) throw wrongId()
}

/** Reports whether a value can be the id of a session: a SHA-256 in lower-case hex. */
export function isId(id: unknown): boolean {
  return typeof id === 'string' && idPattern.test(id)
}

export function wrongId(): TypeError {
  return new TypeError('an id must be 64 lower-case hexadecimal digits, the SHA-256 of a sid')
}
