import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'ava'
import { FileNames } from '../../../src/stores/file/file-names.js'
import { fileStore, type FileStoreOptions } from '../../../src/stores/file/index.js'
import { storeConformance } from '../../../src/testing/conformance.js'

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'keepsake-'))
test.after.always(() => fs.rmSync(root, { recursive: true, force: true }))

function conforms(title: string, parallel: number, options: FileStoreOptions): void {
  const dir = path.join(root, title)
  storeConformance(
    (guarantee, run) => test(`${title}: ${guarantee}`, run),
    (scope) => {
      const names = new FileNames(dir, scope.prefix)
      return {
        store: fileStore({ ...options, dir }).scope!(scope),
        put(id, text) {
          fs.mkdirSync(dir, { recursive: true, mode: 0o700 })
          fs.writeFileSync(names.record(id), text)
        },
        get: (id) => (fs.existsSync(names.record(id)) ? fs.readFileSync(names.record(id), 'utf8') : undefined)
      }
    },
    { parallel, movesCorrupt: true }
  )
}

conforms('with hard links', 200, {})
conforms('with lock files', 20, { locking: 'lockfile' })
conforms('with durability power', 20, { durability: 'power' })
