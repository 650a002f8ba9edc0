/**
 * The greeting, the line above it and prices are in the visitor's language. The pages are in English, and so is every date in their sentences.
 */

export const languages: readonly (readonly [code: string, name: string])[] = [
  ['en-GB', 'English'],
  ['de', 'Deutsch'],
  ['fr', 'Français'],
  ['es', 'Español'],
  ['it', 'Italiano']
]

const greetings: Record<string, (name: string) => string> = {
  'en-GB': (name) => `Good to see you, ${name}.`,
  de: (name) => `Schön, dass du da bist, ${name}.`,
  fr: (name) => `Content de te revoir, ${name}.`,
  es: (name) => `Qué gusto verte, ${name}.`,
  it: (name) => `Che bello rivederti, ${name}.`
}

const since: Record<string, (date: string) => string> = {
  'en-GB': (date) => `Logged in since ${date}`,
  de: (date) => `Angemeldet seit ${date}`,
  fr: (date) => `Connexion : ${date}`,
  es: (date) => `Sesión iniciada: ${date}`,
  it: (date) => `Accesso: ${date}`
}

export function greet(language: string, name: string): string {
  return (greetings[language] ?? greetings['en-GB']!)(name)
}

export function writePrice(language: string, cents: number): string {
  return new Intl.NumberFormat(language, { style: 'currency', currency: 'EUR' }).format(cents / 100)
}

/** Says since when somebody is logged in, in one language. */
export function writeSince(language: string, date: Date): string {
  const written = new Intl.DateTimeFormat(language, { dateStyle: 'full', timeStyle: 'short' }).format(date)
  return (since[language] ?? since['en-GB']!)(written)
}

export function writeDay(date: Date): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' }).format(date)
}

export function writeMoment(date: Date): string {
  const parts = { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short' } as const
  return new Intl.DateTimeFormat('en-GB', parts).format(date)
}

const units = [
  ['day', 24 * 3_600_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000]
] as const

/** In the largest unit of which there are two or more, rounded: 31 days, 90 minutes. */
export function writeDuration(milliseconds: number): string {
  const [unit, size] = units.find(([, length]) => milliseconds >= 1.95 * length) ?? units[3]
  const count = Math.round(milliseconds / size)
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

/** How long ago. A session notes its use at most once a minute. */
export function writeAgo(milliseconds: number): string {
  return milliseconds < 60_000 ? 'just now' : `${writeDuration(milliseconds)} ago`
}

export function writePieces(pieces: number): string {
  if (pieces === 0) return 'nothing yet'
  return pieces === 1 ? 'one thing' : `${pieces} things`
}
