import { format } from 'node:util'
import type { Cleanup } from '../support/app.js'

const methods = ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const

/** What this process prints on its console, and its warnings, from now until the end of the test. Nothing of it is printed. */
export function recordLog(t: Cleanup): string[] {
  const log: string[] = []
  for (const method of methods) {
    const original = console[method]
    console[method] = (...args: unknown[]) => void log.push(format(...args))
    t.teardown(() => void (console[method] = original))
  }
  const listener = (warning: Error): void => void log.push(format(warning))
  process.on('warning', listener)
  t.teardown(() => process.off('warning', listener))
  return log
}
