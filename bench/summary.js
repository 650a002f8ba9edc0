// Sums up each measurement in one figure, and describes the machine.
import { readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { pinning } from './process.js'
import { variants } from './variants/index.js'

/** Where it was measured: no host name, no paths. */
export async function machine(dir) {
  const all = cpus()
  return {
    cpu: all[0].model.trim(),
    cores: all.length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${process.platform} ${release()}`,
    files: await fileSystemOf(dir)
  }
}

/** The versions of what was measured. */
export function ownVersions(serverVersions) {
  return { node: process.versions.node, ...serverVersions, 'koa-keepsake': packageIn('..').version }
}

export async function environment(serverVersions, dir) {
  const peers = Object.keys(packageIn('.').dependencies)
  return {
    ...(await machine(dir)),
    pinning,
    versions: {
      ...ownVersions(serverVersions),
      ...Object.fromEntries(peers.map((name) => [name, packageIn(`node_modules/${name}`).version]))
    }
  }
}

// Linux' magic numbers (statfs(2)) of the file systems that one meets.
const fileSystems = { 0xef53: 'ext4', 0x01021994: 'tmpfs', 0x58465342: 'xfs', 0x9123683e: 'btrfs', 0x794c7630: 'overlayfs' }

async function fileSystemOf(dir) {
  const { type } = await statfs(dir)
  return fileSystems[type] ?? `file system 0x${type.toString(16)}`
}

function packageIn(directory) {
  return JSON.parse(readFileSync(new URL(`${directory}/package.json`, import.meta.url), 'utf8'))
}

/**
 * The medians over samples, each of which holds the results of the variants that were measured together. By name and kind: `over`, the CPU
 * above the bare framework in the same sample, or of a bare framework its own; its `spread`; and requests `perSecond`. By name: `memory` in
 * MiB, and how many writes were `lost`.
 */
export function summarize(samples) {
  const names = Object.keys(variants).filter((name) => samples.some((sample) => name in sample))
  return Object.fromEntries(names.map((name) => [name, summaryOf(name, samples.filter((sample) => name in sample))]))
}

function summaryOf(name, samples) {
  const { bare } = variants[name]
  const own = samples.map((sample) => sample[name])
  const { memory: _, lost: __, ...kinds } = own[0]
  const perKind = Object.keys(kinds).map((kind) => {
    const over = samples.map((sample) => sample[name][kind].cpu - (bare ? costWithout(sample[bare], kind) : 0))
    return [kind, { over: median(over), spread: spread(over), perSecond: median(own.map((result) => result[kind].perSecond)) }]
  })
  return {
    ...Object.fromEntries(perKind),
    memory: median(own.map(({ memory }) => memory)) / 2 ** 20,
    lost: own.reduce((sum, { lost }) => sum + (lost ?? 0), 0)
  }
}

/** The cost of a request without sessions. Every framework answers kinds that need a session as it answers all others. */
function costWithout(bare, kind) {
  return (bare[kind] ?? bare.untouched).cpu
}

export function median(list) {
  return quantile(list, 0.5)
}

function quantile(list, part) {
  const sorted = list.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * part
  const low = Math.floor(at)
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low])
}

/** Half the distance between the quartiles. */
function spread(list) {
  return (quantile(list, 0.75) - quantile(list, 0.25)) / 2
}
