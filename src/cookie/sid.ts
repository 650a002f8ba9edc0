import { hash, randomFillSync } from 'node:crypto'

/** The randomness of a sid in bytes: twice the 128 bits that OWASP's session cheat sheet asks for. */
const sidBytes = 32

/** The length of a sid in characters: its bytes in base64url. */
export const sidLength = 43

/** The source of a regular expression that matches a sid. */
export const sidPattern = `[A-Za-z0-9_-]{${sidLength}}`

// One call of the CSPRNG fills the bytes of many sids, because the call costs more than the bytes.
const pool = Buffer.alloc(sidBytes * 128)
let used = pool.length

/** Makes a sid from the CSPRNG. */
export function createSid(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const sid = pool.toString('base64url', used, used + sidBytes)
  pool.fill(0, used, used + sidBytes)
  used += sidBytes
  return sid
}

/** The name under which a store knows the session: the SHA-256 of the sid, in lower-case hex. */
export function idOf(sid: string): string {
  return hash('sha256', sid, 'hex')
}
