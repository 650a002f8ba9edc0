import { hash } from 'node:crypto'
import { RecentMap } from '../recent-map.js'

/** How many keys are kept for each secret. One takes about 200 bytes with its sid. */
const mostKept = 10_000

/** The size of a block of SHA-256, in bytes. */
const blockBytes = 64

/**
 * Derives a key of 32 bytes for each sid from one secret, with HKDF-SHA-256 (RFC 5869): the same as
 * `hkdfSync('sha256', purpose + '\n' + sid, secret, purpose, 32)`.
 *
 * The secret is the salt and the sid the input, so a key cannot be computed without both. The line break separates the first step from other
 * uses of the secret: no other HMAC of this library or of Koa's cookies is over a text that starts like that.
 *
 * Node's own function makes native objects for each key, which takes five times as long as four one-shot hashes. Under load even these take
 * 10 µs, so the keys of sids that were used lately are kept.
 */
export class DerivedKeys {
  readonly #purpose: string
  /** The pads of the secret, prepared once. */
  readonly #inner: Buffer
  readonly #outer: Buffer
  /** The text of the second step: the purpose and the number of the block, which is 1. */
  readonly #info: Buffer
  /** As strings with one character for each byte: a buffer is an object outside of V8's heap, which costs several times as much to keep. */
  readonly #kept = new RecentMap<string>(mostKept)

  constructor(secret: string | Buffer, purpose: string) {
    const bytes = Buffer.from(secret)
    const key = bytes.length > blockBytes ? hash('sha256', bytes, 'buffer') : bytes
    this.#purpose = purpose
    this.#inner = pad(key, 0x36)
    this.#outer = pad(key, 0x5c)
    this.#info = Buffer.concat([Buffer.from(purpose), Buffer.from([1])])
  }

  /** The key of a sid. */
  keyOf(sid: string): Buffer {
    let key = this.#kept.get(sid)
    if (key === undefined) {
      key = this.#derive(sid)
      this.#kept.set(sid, key)
    }
    return Buffer.from(key, 'binary')
  }

  #derive(sid: string): string {
    const extracted = Buffer.from(hmac(this.#inner, this.#outer, Buffer.from(`${this.#purpose}\n${sid}`)), 'binary')
    return hmac(pad(extracted, 0x36), pad(extracted, 0x5c), this.#info)
  }
}

/** HMAC-SHA-256 (RFC 2104), with the two pads of the key. It returns a string, whose memory costs less than that of a buffer from native code. */
function hmac(inner: Buffer, outer: Buffer, text: Buffer): string {
  const digest = hash('sha256', Buffer.concat([inner, text]), 'binary')
  return hash('sha256', Buffer.concat([outer, Buffer.from(digest, 'binary')]), 'binary')
}

/** A key that is filled up to a block, combined with a byte. */
function pad(key: Buffer, byte: number): Buffer {
  const block = Buffer.allocUnsafe(blockBytes).fill(byte)
  for (let index = 0; index < key.length; index++) block[index] = key[index]! ^ byte
  return block
}
