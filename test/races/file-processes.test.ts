import test from 'ava'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startProcesses } from '../support/fleet.js'
import { races } from './races.js'

const dir = mkdtempSync(join(tmpdir(), 'keepsake-races-'))

races(test, 'files, four processes', () => startProcesses(4, new URL('../support/file-store.ts', import.meta.url), dir))

test.after.always(() => rmSync(dir, { recursive: true, force: true }))
