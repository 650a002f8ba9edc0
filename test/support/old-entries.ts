import { readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'

/** How long what a test process has made is of use to another, in milliseconds. */
const lifetime = 24 * 3_600_000

/** Removes what is old in a directory that processes of tests share: tarballs of other sources, and what a killed process has left. */
export function removeOldEntries(dir: string): void {
  for (const name of readdirSync(dir)) {
    const entry = path.join(dir, name)
    const { mtimeMs = Infinity } = statSync(entry, { throwIfNoEntry: false }) ?? {}
    if (mtimeMs < Date.now() - lifetime) rmSync(entry, { recursive: true, force: true })
  }
}
