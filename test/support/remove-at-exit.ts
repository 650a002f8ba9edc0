import { rmSync } from 'node:fs'

const folders: string[] = []
// One listener for all of them: Node warns of more than ten.
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** Removes a folder when this process ends, if it is still there. */
export function removeAtExit(folder: string): void {
  folders.push(folder)
}
