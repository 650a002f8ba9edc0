const idPattern = /^[0-9a-f]{64}$/

/** Reports whether a value can be the id of a session: a SHA-256 in lower-case hex. */
export function isId(id: unknown): id is string {
  return typeof id === 'string' && idPattern.test(id)
}
