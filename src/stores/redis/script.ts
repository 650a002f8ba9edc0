import { createHash } from 'node:crypto'
import type { ScriptRunner } from './commands.js'

/** A Lua script. It runs by its SHA, so that its text is sent once to each server. */
export class Script {
  readonly #text: string
  /** Redis names a script by its SHA-1. Nothing depends on that being secure. */
  readonly #sha: string

  constructor(text: string) {
    this.#text = text
    this.#sha = createHash('sha1').update(text).digest('hex')
  }

  run(runner: ScriptRunner, key: string, args: string[]): Promise<unknown> {
    return runner.evalSha(this.#sha, key, args).catch((error: unknown) => {
      // The server restarted, failed over or got SCRIPT FLUSH. EVAL runs the script and keeps it again.
      if (error instanceof Error && error.message.includes('NOSCRIPT')) return runner.eval(this.#text, key, args)
      throw error
    })
  }
}

/** Whether a script answered 1. Some clients are set to answer numbers as strings or as `bigint`. */
export function isOne(reply: unknown): boolean {
  return reply === 1 || reply === '1' || reply === 1n
}
