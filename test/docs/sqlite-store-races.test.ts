import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'ava'
import { races } from '../races/races.js'
import { startProcesses } from '../support/fleet.js'

const dir = mkdtempSync(path.join(tmpdir(), 'keepsake-sqlite-'))
test.after.always(() => rmSync(dir, { recursive: true, force: true }))

races(test, 'the SQLite example, two processes on one file', async () =>
  startProcesses(2, new URL('open-sqlite-store.ts', import.meta.url), path.join(dir, 'sessions.db'))
)
