import { timingSafeEqual } from 'node:crypto'

/** Splits a signed value at its last dot into the text and its signature. `undefined`: it has no signature. */
export function splitSigned(value: string): { text: string; signature: string } | undefined {
  const dot = value.lastIndexOf('.')
  return dot <= 0 ? undefined : { text: value.slice(0, dot), signature: value.slice(dot + 1) }
}

/** Compares two signatures in constant time. */
export function isSameSignature(expected: string, given: string): boolean {
  const [one, other] = [Buffer.from(expected), Buffer.from(given)]
  return one.length === other.length && timingSafeEqual(one, other)
}
