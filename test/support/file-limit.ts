import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'

/**
 * Limits the size of the files that a process writes, as a full disk would. Root and mounts are not needed for it.
 *
 * @param bytes absent: without limit.
 */
export function limitFiles(pid: number, bytes?: number): void {
  // The user of the process may do this, and root in a container only for its own processes.
  const { uid, gid } = statSync(`/proc/${pid}`)
  // The hard limit stays, so that the soft one can be raised again.
  execFileSync('prlimit', [`--pid=${pid}`, `--fsize=${bytes ?? 'unlimited'}:`], { uid, gid })
}
