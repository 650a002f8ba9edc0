import { createHash } from 'node:crypto'
import type { ScriptRunner } from './commands.js'

/** A Lua script. It is run by its hash, so that its text is sent only once to each server. */
export class Script {
  readonly #text: string
  /** Redis names a script by its SHA-1. No security depends on it. */
  readonly #sha: string

  constructor(text: string) {
    this.#text = text
    this.#sha = createHash('sha1').update(text).digest('hex')
  }

  run(runner: ScriptRunner, key: string, args: string[]): Promise<unknown> {
    return runner.evalSha(this.#sha, key, args).catch((error: unknown) => {
      // The server does not know the script: it restarted, failed over or got SCRIPT FLUSH. EVAL runs the script and stores it again.
      if (error instanceof Error && error.message.includes('NOSCRIPT')) return runner.eval(this.#text, key, args)
      throw error
    })
  }
}

/** Reports whether a script returned 1. Some clients are set to return numbers as strings or as `bigint`. */
export function isOne(reply: unknown): boolean {
  return reply === 1 || reply === '1' || reply === 1n
}
