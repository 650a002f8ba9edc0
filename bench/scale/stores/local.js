import { createHook } from 'node:async_hooks'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Counts Node's operations on files, which have no names here. Each is one system call or, for a whole read or write, a few of them. */
export async function file({ dir, library }) {
  let operations = 0
  const hook = createHook({ init: (_id, type) => void (operations += /^FSREQ|^FILEHANDLECLOSEREQ/.test(type) ? 1 : 0) }).enable()
  const sessions = join(dir, 'sessions')
  return {
    store: library.fileStore({ dir: sessions, threshold: 0 }),
    async size() {
      const all = [await lstat(sessions)]
      for (const entry of await readdir(sessions, { recursive: true, withFileTypes: true })) all.push(await lstat(join(entry.parentPath, entry.name)))
      // A block of st_blocks has 512 bytes.
      return { bytes: all.reduce((sum, { blocks }) => sum + 512 * blocks, 0), inodes: all.length, directory: all[0].size }
    },
    counts: async () => ({ '': operations }),
    async close() {
      hook.disable()
    }
  }
}

export async function memory({ library }) {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  const used = () => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const empty = used()
  return { store: library.memoryStore(), size: async () => ({ bytes: used() - empty }), counts: async () => ({}), close: async () => undefined }
}
