import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type koaPassport from 'koa-passport'

type KoaPassport = typeof koaPassport.KoaPassport

const load = createRequire(import.meta.url)

/**
 * koa-passport with the Passport that it brings along (0.6), and with the newest one (0.7), which an application gets by npm's `overrides`.
 *
 * @returns the classes by the version of Passport, and a function that removes the copy.
 */
export function loadPassports(): { versions: readonly (readonly [version: string, KoaPassport])[]; remove: () => void } {
  const modules = join(mkdtempSync(join(tmpdir(), 'keepsake-passport-')), 'node_modules')
  mkdirSync(modules)
  cpSync(join(dirname(load.resolve('koa-passport/package.json'))), join(modules, 'koa-passport'), { recursive: true, filter: (path) => !path.endsWith('koa-passport/node_modules') })
  symlinkSync(dirname(load.resolve('passport/package.json')), join(modules, 'passport'), 'dir')
  const copy = createRequire(join(modules, 'koa-passport', 'package.json'))
  const original = createRequire(load.resolve('koa-passport/package.json'))
  return {
    versions: [original, copy].map((from) => [`Passport ${versionFor(from)}`, (from('koa-passport') as typeof koaPassport).KoaPassport] as const),
    remove: () => rmSync(dirname(modules), { recursive: true })
  }
}

function versionFor(from: NodeJS.Require): string {
  return (from('passport/package.json') as { version: string }).version
}
