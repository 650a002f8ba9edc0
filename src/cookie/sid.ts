import { hash, randomFillSync } from 'node:crypto'

/** Bytes of randomness in a sid: twice the 128 bits that OWASP's session cheat sheet asks for. */
const sidBytes = 32

/** What a sid looks like: 32 bytes in base64url. */
export const sidPattern = '[A-Za-z0-9_-]{43}'

// One call of the CSPRNG for many sids: it is the call that costs, not the bytes.
const pool = Buffer.alloc(sidBytes * 128)
let used = pool.length

/** A new sid from the CSPRNG. */
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
