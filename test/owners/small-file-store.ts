import { fileStore, type SessionStore } from '../../src/index.js'

export const threshold = 100

/** The file store of a process of a fleet, which has room for few sessions. */
export default function makeStore(dir: string): SessionStore {
  return fileStore({ dir, threshold })
}
