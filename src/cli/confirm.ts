import { createInterface } from 'node:readline/promises'
import { CommandError, print, type Io } from './io.js'

/**
 * Says what the command is about to do, and asks whether to do it, unless the user has passed `--yes`.
 *
 * @throws CommandError when nobody can answer.
 */
export async function confirm(io: Io, action: string, yes: boolean): Promise<boolean> {
  await print(io.stderr, action)
  if (yes) return true
  if (!io.stdin.isTTY) throw new CommandError('nobody can answer, because the input is no terminal: pass --yes to do it without a question')
  const terminal = createInterface({ input: io.stdin, output: io.stderr })
  try {
    // Ctrl+C and Ctrl+D end the input without an answer.
    const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('')))
    const answer = await Promise.race([terminal.question('Go on? [y/N] '), ended])
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}

/** Says that nothing was done, and returns the status of the command. */
export async function declined(io: Io): Promise<number> {
  await print(io.stderr, 'Nothing was changed.')
  return 1
}
