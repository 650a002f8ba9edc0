import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { cookieStore, fileStore, memoryStore } from '../../../src/index.js'
import { FileNames } from '../../../src/stores/file/file-names.js'
import { tempDir } from '../../support/files.js'
import type { Backend } from './backend.js'

export const memory: Backend = {
  name: 'memory',
  needs: (test) => test,
  async start() {
    const store = memoryStore()
    return { store: () => store }
  }
}

export const cookie: Backend = {
  name: 'cookie',
  needs: (test) => test,
  start: async () => ({ store: () => cookieStore() })
}

export const files: Backend = {
  name: 'files',
  needs: (test) => test,
  async start(t) {
    const dir = path.join(tempDir(t), 'sessions')
    fs.mkdirSync(dir, { mode: 0o700 })
    const fileOf = (prefix: string, id: string): string => {
      const file = new FileNames(dir, prefix).record(id)
      fs.rmSync(file, { recursive: true, force: true })
      return file
    }
    return {
      store: () => fileStore({ dir }),
      texts: {
        put: async (prefix, id, text) => fs.writeFileSync(fileOf(prefix, id), text),
        async claim(prefix, id, owner) {
          const names = new FileNames(dir, prefix)
          fs.mkdirSync(names.owner(owner), { recursive: true })
          fs.writeFileSync(names.ownerEntry(names.owner(owner), id), '')
        },
        dump: async () => dumpOf(dir),
        odd: [
          ['a directory', async (prefix, id) => fs.mkdirSync(fileOf(prefix, id))],
          ['a FIFO', async (prefix, id) => execFileSync('mkfifo', [fileOf(prefix, id)])],
          ['a symbolic link to itself', async (prefix, id) => fs.symlinkSync(fileOf(prefix, id), fileOf(prefix, id))],
          ['a symbolic link to /dev/zero', async (prefix, id) => fs.symlinkSync('/dev/zero', fileOf(prefix, id))]
        ]
      },
      refuseWrites: () => inTheWay(dir),
      breakDown: () => inTheWay(dir)
    }
  }
}

/** Puts a file in the place of the directory: root may write to every directory. */
async function inTheWay(dir: string): Promise<() => Promise<void>> {
  fs.renameSync(dir, `${dir}.away`)
  fs.writeFileSync(dir, '')
  return async () => {
    fs.rmSync(dir)
    fs.renameSync(`${dir}.away`, dir)
  }
}

function dumpOf(dir: string): string {
  const names = fs.readdirSync(dir, { recursive: true, encoding: 'utf8' })
  const texts = names.map((name) => path.join(dir, name)).filter((file) => fs.lstatSync(file).isFile()).map((file) => fs.readFileSync(file, 'utf8'))
  return [...names, ...texts].join('\n')
}
