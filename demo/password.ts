import { randomBytes, scrypt, timingSafeEqual, type BinaryLike } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify<BinaryLike, BinaryLike, number, Buffer>(scrypt)

/** A real application has one for each person, from its database; the demo shows its only one on the login page. */
export const password = 'open sesame'

const salt = randomBytes(16)
const expected = derive(password, salt, 32)

export async function isPassword(text: string): Promise<boolean> {
  return timingSafeEqual(await derive(text.normalize('NFKC'), salt, 32), await expected)
}
