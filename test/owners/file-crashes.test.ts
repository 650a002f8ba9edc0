import test from 'ava'
import { fileStore, memoryStore } from '../../src/index.js'
import { startProcesses, startServers } from '../support/fleet.js'
import { tempDir } from '../support/files.js'
import { crashes } from './crashes.js'

crashes(test, 'memory', async () => {
  const store = memoryStore()
  return { fleet: await startServers([store]), store }
})

crashes(test, 'files, four processes that are killed', async (t) => {
  const dir = tempDir(t)
  return { fleet: await startProcesses(4, new URL('../support/file-store.ts', import.meta.url), dir), store: fileStore({ dir }) }
})
