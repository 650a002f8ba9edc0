// The CPU time of server processes, as Linux counts it.
import { existsSync, readdirSync, readFileSync } from 'node:fs'

const isCounted = existsSync('/proc/self/schedstat')

/** The CPU time of a process and its children so far, in µs. `undefined`: this system does not say. */
export function cpuOf(pid) {
  if (!isCounted || pid === undefined) return undefined
  const family = readdirSync('/proc').filter((name) => name === String(pid) || parentOf(name) === pid)
  return family.flatMap(threadsOf).reduce((sum, thread) => sum + timeOf(thread), 0)
}

function parentOf(name) {
  // The name of the program is in parentheses, and may hold anything.
  return /^\d+$/.test(name) ? Number(read(`/proc/${name}/stat`).split(') ').pop().split(' ')[1]) : undefined
}

function threadsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`)
  } catch {
    return []
  }
}

/** In µs; the file has nanoseconds. */
function timeOf(thread) {
  return Number(read(`${thread}/schedstat`).split(' ')[0]) / 1000
}

/** A process or a thread may end at any moment: its file is empty then. */
function read(path) {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
