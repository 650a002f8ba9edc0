import type { Cleanup } from './app.js'

/** The texts of every `SessionWarning` of the process from now until the end of the test that match. */
export function recordWarnings(t: Cleanup, matching: RegExp): string[] {
  const warnings: string[] = []
  const listener = ({ name, message }: Error) => void (name === 'SessionWarning' && matching.test(message) && warnings.push(message))
  process.on('warning', listener)
  t.teardown(() => process.off('warning', listener))
  return warnings
}
