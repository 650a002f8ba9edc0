import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Cleanup } from '../../support/app.js'
import { fillDisk, mountSmallDisk } from '../../support/small-disk.js'
import type { Stage, Strike } from '../run/conduct.js'
import type { StageMaker } from './stage.js'

/** So often files are swept, in milliseconds: many times in each round. */
const sweepEvery = 20

export const files: StageMaker = {
  name: 'file',
  processes: [1, 4],
  start: async (t) => ({ stage: stageIn(temporaryDirectory(t), 'files'), faults: ['none', 'kill', 'stop'] })
}

/** There is room for so few sessions that those without an owner are evicted all the time. */
export const fullDirectory: StageMaker = {
  name: 'file-threshold',
  processes: [4],
  async start(t) {
    const dir = temporaryDirectory(t)
    const spec: Stage['spec'] = () => ({ store: 'file', dir, sweepEvery, threshold: 25 })
    return { stage: { ...stageIn(dir, 'files over the threshold'), spec, evicts: true, visitors: 0.15 }, faults: ['none', 'kill', 'stop'] }
  }
}

/** Without hard links. A process that is stopped or killed can do harm there, as the store's documentation says. */
export const lockFiles: StageMaker = {
  name: 'file-locks',
  processes: [4],
  async start(t) {
    const dir = temporaryDirectory(t)
    return { stage: { ...stageIn(dir, 'files with locks'), spec: () => ({ store: 'file', dir, sweepEvery, locking: 'lockfile' }) }, faults: ['none'] }
  }
}

/** A disk that is full from the midst of a round to its end. */
export const fullDisk: StageMaker = {
  name: 'file-disk',
  ...(canMount() ? {} : { missing: 'the right to mount a tmpfs is missing: run as root' }),
  processes: [4],
  async start(t) {
    const disk = temporaryDirectory(t)
    mountSmallDisk(t, disk, '2m')
    const ballast = path.join(disk, 'ballast')
    const full: Strike = { strike: async () => fillDisk(ballast), heal: async () => fs.rmSync(ballast, { force: true }) }
    return { stage: stageIn(path.join(disk, 'sessions'), 'files on a full disk'), faults: [full, full, 'kill'] }
  }
}

function stageIn(dir: string, name: string): Stage {
  return { name, unit: 'file call', spec: () => ({ store: 'file', dir, sweepEvery, threshold: 0 }) }
}

function temporaryDirectory(t: Cleanup): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'keepsake-history-'))
  t.teardown(() => fs.rmSync(dir, { recursive: true, force: true, maxRetries: 5 }))
  return dir
}

function canMount(): boolean {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'keepsake-mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'keepsake', dir], { stdio: 'pipe' })
    execFileSync('umount', ['-l', dir])
    return true
  } catch {
    return false
  } finally {
    fs.rmSync(dir, { recursive: true, force: true })
  }
}
