import { isId } from '../record/index.js'

/** Refuses an id that is not a SHA-256, because ids become parts of keys and paths. */
export function assertId(id: string): void {
  if (!isId(id)) throw wrongIdError()
}

export function wrongIdError(): TypeError {
  return new TypeError('an id must be 64 lower-case hexadecimal digits, the SHA-256 of a sid')
}
