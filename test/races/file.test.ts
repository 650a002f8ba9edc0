import test from 'ava'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileStore } from '../../src/index.js'
import { startServers } from '../support/fleet.js'
import { races } from './races.js'

const dir = mkdtempSync(join(tmpdir(), 'keepsake-races-'))

races(test, 'files, one process', () => {
  const store = fileStore({ dir })
  return startServers([store, store, fileStore({ dir })])
})

test.after.always(() => rmSync(dir, { recursive: true, force: true }))
