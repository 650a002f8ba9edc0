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

/** Writes a text and a line break, and waits while the reader of a pipe is slow. */
export async function print(stream: Output, text: string): Promise<void> {
  if (!stream.write(`${text}\n`)) await once(stream, 'drain')
}
