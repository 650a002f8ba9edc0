import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import type { Cleanup } from './app.js'

/** Mounts a file system that is small enough to be filled, until the end of the test. @throws Error for everybody but root. */
export function mountSmallDisk(t: Cleanup, dir: string, size: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'keepsake', dir], { stdio: 'pipe' })
  t.teardown(() => execFileSync('umount', ['-l', dir]))
}

/** Fills a file system with a file. Remove the file, and there is room again. */
export function fillDisk(file: string): void {
  const fd = fs.openSync(file, 'w')
  try {
    for (;;) fs.writeSync(fd, Buffer.alloc(4096))
  } catch {
    // It is full.
  } finally {
    fs.closeSync(fd)
  }
}
