/** How many digits of an id the table shows where there is no room for all. Two of a million sessions have the same with a probability of 1 to 560. */
export const shortId = 12

/**
 * Escapes characters that would control the terminal, reorder the line or hide in it: an owner may be any text that a user has chosen.
 *
 * In JSON, the result means the same.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`).join('')
  )
}

/** A moment in milliseconds since the epoch as `2026-11-26 00:06`, in UTC. */
export function minuteOf(time: number): string {
  return secondOf(time).slice(0, -3)
}

/** A moment in milliseconds since the epoch as `2026-11-26 00:06:45`, in UTC. */
export function secondOf(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, '').replace('T', ' ')
}

/** A size in bytes as `512 B`, `1.5 KiB`. */
export function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const isLarge = bytes >= 1024 * 1024
  return `${(bytes / (isLarge ? 1024 * 1024 : 1024)).toFixed(1)} ${isLarge ? 'MiB' : 'KiB'}`
}

/** `1 session`, `2 sessions`. */
export function sessions(count: number): string {
  return `${count} ${count === 1 ? 'session' : 'sessions'}`
}

/** Masks what may be a sid, and is no id. Somebody may type one by mistake, and an error that quotes it may end up in a log. */
export function withoutSids(text: string): string {
  return text.replace(/[\w-]{43,}/g, (word) => (/^[0-9a-f]{64}$/.test(word) ? word : '…'))
}
