import { once } from 'node:events'

/** A stream that may be a terminal. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }

/** The streams and the environment of the command: `process`, or those of a test. */
export interface Io {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stdout: Output
  readonly stderr: Output
  readonly env: { readonly [name: string]: string | undefined }
}

/** An error whose message is for the user of the command, without a stack. */
export class CommandError extends Error {}

const withoutReader = new WeakSet<Output>()

/**
 * Lets the command go on when the reader of a pipe closes it early, as in `list | head`. A copy that stopped in the middle would be taken for a
 * complete one, and the status would be wrong.
 */
export function outliveReader(stream: Output): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    withoutReader.add(stream)
  })
}

/** Writes a text and a line break, and waits while the reader of a pipe is slow. Reports whether there is still a reader. */
export async function print(stream: Output, text: string): Promise<boolean> {
  if (withoutReader.has(stream)) return false
  if (stream.write(`${text}\n`)) return true
  try {
    await once(stream, 'drain')
  } catch (error) {
    if (!withoutReader.has(stream)) throw error
  }
  return !withoutReader.has(stream)
}
