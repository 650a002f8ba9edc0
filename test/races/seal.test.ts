import test from 'ava'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStore } from '../../src/index.js'
import { startProcesses, startServers } from '../support/fleet.js'
import { races } from './races.js'

// Sealing is done before a store sees a record, so these two stand for all: a store without promises, and the kit's with four processes.
// Stores that share a backend meet each other's writes, and so each recipe has to open the newest record and seal it again.

races(test, 'sealed, memory', () => {
  const store = memoryStore()
  return startServers([store, store], { seal: true })
})

const dir = mkdtempSync(join(tmpdir(), 'keepsake-races-'))
races(test, 'sealed, files, four processes', () => startProcesses(4, new URL('../support/file-store.ts', import.meta.url), dir, { seal: true }))
test.after.always(() => rmSync(dir, { recursive: true, force: true }))
