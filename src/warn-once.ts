import { processWide } from './process-wide.js'

const emitted = processWide('warnings', () => new Set<string>())

/** Emits a process warning, once for each text. */
export function warnOnce(text: string, code?: string): void {
  if (emitted.has(text)) return
  emitted.add(text)
  process.emitWarning(text, { type: 'SessionWarning', ...(code !== undefined && { code }) })
}
