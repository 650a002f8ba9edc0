import Keygrip from 'keygrip'
import { SessionError } from './errors.js'

/** A Keygrip, ours or one that the application made. */
export interface Signer {
  sign(data: string): string
  /** Which of the keys made the digest: 0 is the newest, -1 none. */
  index(data: string, digest: string): number
}

/** Secrets, newest first, or a ready Keygrip. */
export type Keys = readonly (string | Buffer)[] | Signer

// A SHA-256 HMAC is as strong as its key, up to 32 bytes.
const strongLength = 32
let warned = false

/** A signer over the present keys and the list that it was made from, to see when the keys were rotated. */
export interface KeyRing {
  readonly signer: Signer
  /** `undefined`: a ready Keygrip, whose keys may be rotated without anybody seeing it. */
  readonly secrets: readonly (string | Buffer)[] | undefined
}

/**
 * Refuses keys that cannot sign.
 *
 * @throws SessionError `ERR_SESSION_KEYS` when there are none or one is empty; TypeError when they are something else.
 */
export function assertKeys(keys: unknown, where: string): asserts keys is Keys {
  if (isSigner(keys)) return
  if (keys === undefined || keys === null || (Array.isArray(keys) && (keys.length === 0 || keys.some(isEmpty)))) {
    const what = Array.isArray(keys) && keys.length > 0 ? 'one of the keys is empty' : 'there are no keys to sign the cookie with'
    throw new SessionError(
      'ERR_SESSION_KEYS',
      `${where}: ${what}: set app.keys = [process.env.SECRET_KEY] with a random secret of ${strongLength} bytes or more, or the option keys`
    )
  }
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string' || Buffer.isBuffer(key))) {
    throw new TypeError(`${where}: keys must be an array of strings or Buffers, newest first, or a Keygrip`)
  }
}

/** The ring for the keys: the same one as long as they are the same. */
export function keyRing(keys: unknown, where: string, ring: KeyRing | undefined): KeyRing {
  if (ring && isSame(ring, keys)) return ring
  assertKeys(keys, where)
  if (isSigner(keys)) return { signer: keys, secrets: undefined }
  warnOnce(keys)
  // Copied: an application may rotate by changing its array in place, and Keygrip would follow it unseen.
  const secrets = [...keys]
  return { signer: new Keygrip(secrets as string[], 'sha256'), secrets }
}

function isSame({ signer, secrets }: KeyRing, keys: unknown): boolean {
  if (!secrets) return signer === keys
  return Array.isArray(keys) && keys.length === secrets.length && secrets.every((secret, at) => secret === keys[at])
}

function warnOnce(secrets: readonly (string | Buffer)[]): void {
  if (warned || secrets.every((secret) => Buffer.byteLength(secret) >= strongLength)) return
  warned = true
  process.emitWarning(
    `a secret that signs session cookies is shorter than ${strongLength} bytes: make one with ` +
      `node -p "require('crypto').randomBytes(${strongLength}).toString('base64url')"`,
    'SessionWarning'
  )
}

function isSigner(keys: unknown): keys is Signer {
  if (typeof keys !== 'object' || keys === null || Array.isArray(keys)) return false
  const { sign, index } = keys as Partial<Signer>
  return typeof sign === 'function' && typeof index === 'function'
}

function isEmpty(key: unknown): boolean {
  return key === undefined || key === null || ((typeof key === 'string' || Buffer.isBuffer(key)) && key.length === 0)
}
