const emitted = new Set<string>()

/** Emits a process warning, once for each text. */
export function warnOnce(text: string): void {
  if (emitted.has(text)) return
  emitted.add(text)
  process.emitWarning(text, 'SessionWarning')
}
