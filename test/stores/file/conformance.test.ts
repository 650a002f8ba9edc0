import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'ava'
import { fileStore } from '../../../src/stores/file.js'
import { storeConformance } from '../../../src/testing.js'

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'keepsake-'))
test.after.always(() => fs.rmSync(dir, { recursive: true, force: true }))

storeConformance(
  (title, run) => test(`by claims: ${title}`, run),
  (scope) => fileStore({ dir }).scope!(scope),
  { parallel: 200 }
)
storeConformance(
  (title, run) => test(`by lock files: ${title}`, run),
  (scope) => fileStore({ dir: path.join(dir, 'locked'), locking: 'lockfile' }).scope!(scope),
  { parallel: 20 }
)
storeConformance(
  (title, run) => test(`with durability power: ${title}`, run),
  (scope) => fileStore({ dir: path.join(dir, 'synced'), durability: 'power' }).scope!(scope),
  { parallel: 20 }
)
