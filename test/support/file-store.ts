import { fileStore } from '../../src/stores/file/index.js'
import type { SessionStore } from '../../src/store/index.js'

/** The file store of a process of a fleet. */
export default function makeStore(dir: string): SessionStore {
  return fileStore({ dir })
}
