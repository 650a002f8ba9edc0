import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto'
import { DerivedKeys } from './derived-keys.js'

/*
 * Sealing: AES-256-GCM under a key that needs both the sid and a secret of the application (DESIGN section 12).
 *
 * A store never sees a sid, so a copy of it, even with the secret, opens nothing. A sid without the secret makes nothing that is accepted.
 * Each session has a key of its own, so random nonces of 96 bits cannot repeat in practice: a session would need billions of writes.
 */

const cipher = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

/** The first character of what a sealer writes: the version of its form. */
const version = '1'

// One call of the CSPRNG fills many nonces, because the call costs more than the bytes.
const pool = Buffer.alloc(nonceBytes * 256)
let used = pool.length

/** Encrypts texts with the newest of the secrets, and decrypts them with each. */
export class Sealer {
  readonly #purpose: string
  /** Newest first. */
  readonly #keys: readonly DerivedKeys[]

  /** @param purpose distinguishes what this sealer writes from everything else that is made with the same secrets. It has no line break. */
  constructor(secrets: readonly (string | Buffer)[], purpose: string) {
    this.#purpose = purpose
    this.#keys = secrets.map((secret) => new DerivedKeys(secret, purpose))
  }

  /** Reports whether a text has the form that sealers write. */
  static isSealed(text: string): boolean {
    return text.startsWith(version)
  }

  /**
   * Encrypts a text. The result consists of characters of base64url.
   *
   * @param facts a text that is not encrypted, but must be the same when the text is decrypted.
   */
  seal(text: string, sid: string, facts: string): string {
    const nonce = nextNonce()
    const encryption = createCipheriv(cipher, this.#keys[0]!.keyOf(sid), nonce, { authTagLength: tagBytes })
    encryption.setAAD(this.#authenticatedData(facts))
    const encrypted = encryption.update(text, 'utf8')
    encryption.final()
    return version + Buffer.concat([nonce, encrypted, encryption.getAuthTag()]).toString('base64url')
  }

  /** Decrypts a text. `undefined`: none of the secrets has sealed it for this sid with these facts. */
  unseal(sealed: string, sid: string, facts: string): string | undefined {
    if (!Sealer.isSealed(sealed)) return undefined
    const bytes = Buffer.from(sealed.slice(version.length), 'base64url')
    if (bytes.length < nonceBytes + tagBytes) return undefined
    const authenticatedData = this.#authenticatedData(facts)
    for (const keys of this.#keys) {
      const text = decrypt(bytes, keys.keyOf(sid), authenticatedData)
      if (text !== undefined) return text
    }
    return undefined
  }

  #authenticatedData(facts: string): Buffer {
    return Buffer.from(`${this.#purpose}\n${facts}`)
  }
}

function decrypt(bytes: Buffer, key: Buffer, authenticatedData: Buffer): string | undefined {
  const decryption = createDecipheriv(cipher, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decryption.setAAD(authenticatedData)
  decryption.setAuthTag(bytes.subarray(-tagBytes))
  const text = decryption.update(bytes.subarray(nonceBytes, -tagBytes))
  try {
    decryption.final()
  } catch {
    return undefined
  }
  return text.toString()
}

/** A part of the pool: use it before the next call. */
function nextNonce(): Buffer {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  return pool.subarray(used, (used += nonceBytes))
}
