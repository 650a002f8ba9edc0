import { timingSafeEqual } from 'node:crypto'
import Keygrip from 'keygrip'
import { SessionError } from '../errors.js'
import { HmacSha256 } from './hmac.js'
import { assertSigner, isSigner, type Signer } from './ready-signer.js'
import { Secrets, type Secret } from './secrets.js'
import { warnOnce } from '../warn-once.js'

/** Secrets, newest first, or a ready Keygrip. */
export type Keys = readonly Secret[] | Signer

/** A secret of fewer bytes causes a warning: up to 32 bytes, a SHA-256 HMAC is as strong as its key. */
const strongBytes = 32

/**
 * Refuses keys that cannot sign.
 *
 * @throws SessionError `ERR_SESSION_KEYS` when there are no keys, one is empty, or a Keygrip does not sign with SHA-256; TypeError for a
 * value of another type.
 */
export function assertKeys(keys: unknown, where: string): asserts keys is Keys {
  if (isSigner(keys)) return assertSigner(keys, where)
  // Array.from, because some() and every() skip holes.
  const secrets = Array.isArray(keys) ? Array.from<unknown>(keys) : undefined
  if (keys === undefined || keys === null || secrets?.length === 0 || secrets?.some(isEmpty)) {
    const flaw = secrets && secrets.length > 0 ? 'one of the keys is empty' : 'there are no keys to sign the cookie with'
    throw new SessionError(
      'ERR_SESSION_KEYS',
      `${where}: ${flaw}: set app.keys = [process.env.SECRET_KEY] with a random secret of ${strongBytes} bytes or more, or the option keys`
    )
  }
  if (!secrets?.every(isSecret)) throw new TypeError(`${where}: keys must be an array of strings or Buffers, newest first, or a Keygrip`)
}

/** Warns once about a secret that is too short. */
export function warnOfWeakSecret(secrets: readonly Secret[]): void {
  if (!secrets.some((secret) => Buffer.byteLength(secret) < strongBytes)) return
  warnOnce(
    `a secret that signs session cookies is shorter than ${strongBytes} bytes: make one with ` +
      `node -p "require('crypto').randomBytes(${strongBytes}).toString('base64url')"`
  )
}

/** A copy of the keys at one moment, which signs and verifies. */
export class SigningKeys {
  /** `true` for a ready signer: nobody notices when its keys change, so tokens that it has verified must not be remembered. */
  readonly mayChangeUnseen: boolean
  readonly #signer: Signer

  /** Absent with a ready signer. */
  readonly #secrets: Secrets | undefined

  constructor(keys: unknown, where: string) {
    assertKeys(keys, where)
    this.mayChangeUnseen = isSigner(keys)
    this.#secrets = isSigner(keys) ? undefined : new Secrets(keys)
    this.#signer = isSigner(keys) ? keys : new SecretSigner(this.#secrets!.list)
    if (this.#secrets) warnOfWeakSecret(this.#secrets.list)
  }

  /** Reports whether these are still the given keys. */
  equals(keys: unknown): boolean {
    return this.#secrets ? this.#secrets.equals(keys) : this.#signer === keys
  }

  sign(text: string): string {
    return this.#signer.sign(text)
  }

  /** The index of the key that made the MAC: 0 for the newest, -1 for none. */
  index(text: string, mac: string): number {
    const index: unknown = this.#signer.index(text, mac)
    // A signer that returns anything else, although it passed its test, verifies nothing.
    return Number.isInteger(index) && (index as number) >= 0 ? (index as number) : -1
  }
}

/** Signs with the first of the secrets and accepts each of them, as Keygrip does. */
export class SecretSigner implements Signer {
  readonly #signers: readonly Pick<Signer, 'sign'>[]

  constructor(secrets: readonly Secret[], hmacOf: (secret: Secret) => Pick<Signer, 'sign'> = (secret) => new HmacSha256(secret)) {
    this.#signers = secrets.map((secret) => hmacOrKeygrip(hmacOf(secret), secret))
  }

  sign(text: string): string {
    return this.#signers[0]!.sign(text)
  }

  index(text: string, mac: string): number {
    for (const [index, signer] of this.#signers.entries()) {
      if (isEqual(signer.sign(text), mac)) return index
    }
    return -1
  }
}

/** Returns our own HMAC if it signs as Keygrip does, which is the reference. Otherwise Keygrip signs. */
function hmacOrKeygrip(hmac: Pick<Signer, 'sign'>, secret: Secret): Pick<Signer, 'sign'> {
  // Keygrip's types know only strings, but it passes the key to createHmac, which takes Buffers too.
  const reference = new Keygrip([secret as string], 'sha256')
  const texts = ['', 'koa-keepsake', 'a text that is longer than the buffer of the one-shot HMAC'.repeat(100)]
  return texts.every((text) => hmac.sign(text) === reference.sign(text)) ? hmac : reference
}

function isEqual(expected: string, given: string): boolean {
  const [one, other] = [Buffer.from(expected), Buffer.from(given)]
  return one.length === other.length && timingSafeEqual(one, other)
}

function isSecret(key: unknown): key is Secret {
  return typeof key === 'string' || Buffer.isBuffer(key)
}

function isEmpty(key: unknown): boolean {
  return key === undefined || key === null || (isSecret(key) && key.length === 0)
}
