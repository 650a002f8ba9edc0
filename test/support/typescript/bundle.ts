import { buildSync } from 'esbuild'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { removeOldEntries } from '../old-entries.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/**
 * Bundles programs into plain JavaScript, for processes that a test starts by the dozen: one file loads in less than half of the time that a hundred take
 * through the loader. A module that two of the programs import is loaded once. The bundles are removed when this process ends.
 *
 * @returns the paths of the bundles, in the order of the programs.
 */
export function bundle(...programs: readonly URL[]): string[] {
  const files = programs.map((program) => fileURLToPath(program))
  // Below node_modules, so that the programs find the dependencies of the package.
  const cache = path.join(root, 'node_modules/.cache/bundles')
  fs.mkdirSync(cache, { recursive: true })
  removeOldEntries(cache)
  const outdir = fs.mkdtempSync(path.join(cache, 'bundle-'))
  process.on('exit', () => fs.rmSync(outdir, { recursive: true, force: true }))
  // Processes of other users run them, too.
  fs.chmodSync(outdir, 0o755)
  fs.writeFileSync(path.join(outdir, 'package.json'), '{"type":"module"}')
  buildSync({
    absWorkingDir: root,
    entryPoints: files,
    outdir,
    outbase: root,
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning'
  })
  return files.map((file) => path.join(outdir, path.relative(root, file).replace(/ts$/, 'js')))
}
