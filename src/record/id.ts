const otherCharacter = /[^0-9a-f]/

/** Reports whether a value can be the id of a session: a SHA-256 in lower-case hex. */
export function isId(id: unknown): id is string {
  // A pattern that also counts the characters takes longer, and each call of a store checks its id.
  return typeof id === 'string' && id.length === 64 && !otherCharacter.test(id)
}
