/**
 * The cluster hash slot of a key (Redis cluster specification, "Key distribution model"): CRC-16/XMODEM of the part between the first `{`
 * and the next `}`, or of the whole key, modulo 16384.
 *
 * Only `WAIT` needs it: the command has no key, but must be sent on the connection of the write.
 */
export function hashSlotOf(key: string): number {
  const open = key.indexOf('{')
  const close = open < 0 ? -1 : key.indexOf('}', open)
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key
  let crc = 0
  for (const byte of Buffer.from(hashed)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  }
  return crc & 0x3fff
}
