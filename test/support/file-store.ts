import { fileStore, type SessionStore } from '../../src/index.js'

/** The file store of a process of a fleet. */
export default function makeStore(dir: string): SessionStore {
  return fileStore({ dir })
}
