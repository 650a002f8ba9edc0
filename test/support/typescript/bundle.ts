import { buildSync } from 'esbuild'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/**
 * Bundles programs into plain JavaScript, for processes that a test starts by the dozen: one file loads in a third of the time that a hundred take
 * through the loader. What two programs import is in both the same module. Removed when this process ends.
 *
 * @returns the paths of the bundles, in the order of the programs.
 */
export function bundle(...programs: readonly URL[]): string[] {
  const files = programs.map((program) => fileURLToPath(program))
  const cache = path.join(root, 'node_modules', '.cache')
  fs.mkdirSync(cache, { recursive: true })
  // Below node_modules, so that the programs find the dependencies of the package.
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
    // For the coverage of what they run.
    sourcemap: process.env['NODE_V8_COVERAGE'] ? 'inline' : false,
    logLevel: 'warning'
  })
  return files.map((file) => path.join(outdir, path.relative(root, file).replace(/ts$/, 'js')))
}
