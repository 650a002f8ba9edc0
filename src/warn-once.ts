const given = new Set<string>()

/** Emits a process warning, once for each text. */
export function warnOnce(text: string): void {
  if (given.has(text)) return
  given.add(text)
  process.emitWarning(text, 'SessionWarning')
}
