import { SessionError } from '../errors.js'
import { HmacSha256 } from './hmac.js'

/** A Keygrip that the application made, or another object that signs like one. */
export interface Signer {
  sign(data: string): string
  /** The index of the key that made the digest: 0 for the newest, -1 for none. */
  index(data: string, digest: string): number
}

/** A SHA-256 MAC in base64url without padding. */
const macPattern = /^[A-Za-z0-9_-]{43}$/
const probe = 'koa-keepsake probe'
const accepted = new WeakSet<Signer>()

export function isSigner(keys: unknown): keys is Signer {
  if (typeof keys !== 'object' || keys === null || Array.isArray(keys)) return false
  const { sign, index } = keys as Partial<Signer>
  return typeof sign === 'function' && typeof index === 'function'
}

/**
 * Tests a ready signer when it is first used. With an unsuitable signer, no cookie would verify (its digest has another length), or every
 * cookie would (its `index()` returns `undefined` or a promise).
 *
 * @throws SessionError `ERR_SESSION_KEYS`, which says how to make one that signs with SHA-256.
 */
export function assertSigner(signer: Signer, where: string): void {
  if (accepted.has(signer)) return
  const flaw = flawOf(signer)
  if (flaw !== undefined) {
    throw new SessionError(
      'ERR_SESSION_KEYS',
      `${where}: the Keygrip in keys cannot sign sessions: ${flaw}; make it with new Keygrip(secrets, 'sha256'), or give the array of secrets itself`
    )
  }
  accepted.add(signer)
}

function flawOf(signer: Signer): string | undefined {
  let own: unknown
  let indexes: readonly unknown[]
  try {
    own = signer.sign(probe)
    if (typeof own !== 'string' || !macPattern.test(own)) {
      return 'its sign() does not answer a SHA-256 digest as 43 characters of base64url (the default of Keygrip is SHA-1)'
    }
    // The signature of another text, an invented one, and one by an empty key.
    const unknown = [signer.sign(`${probe} 2`), 'A'.repeat(43)]
    const empty = new HmacSha256('').sign(probe)
    indexes = [own, ...unknown, empty].map((digest) => signer.index(probe, digest))
  } catch {
    return 'its sign() or index() throws an error'
  }
  if (indexes[0] !== 0) return 'its index() does not answer 0 for a digest by its newest key'
  if (indexes[1] !== -1 || indexes[2] !== -1) return 'its index() does not answer -1 for an unknown digest'
  return indexes[3] === -1 ? undefined : 'one of its keys is empty'
}
