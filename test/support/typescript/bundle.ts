import { build, buildSync, stop, type BuildOptions, type Plugin } from 'esbuild'
import fs from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { removeOldEntries } from '../old-entries.js'
import { removeAtExit } from '../remove-at-exit.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** The dependencies stay outside, so that a bundle holds what is in this repository. */
const options = {
  absWorkingDir: root,
  outbase: root,
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // `import './module.js'` runs the module. A bundle would leave it out, because package.json says that no module has side effects.
  logOverride: { 'ignored-bare-import': 'error' },
  logLevel: 'warning'
} satisfies BuildOptions

/**
 * Bundles programs into plain JavaScript, for processes that a test starts by the dozen: one file loads in less than half of the time that a hundred take
 * through the loader. A module that two of the programs import is loaded once. The bundles are removed when this process ends.
 *
 * @returns the paths of the bundles, in the order of the programs.
 */
export function bundle(...programs: readonly URL[]): string[] {
  const files = programs.map((program) => fileURLToPath(program))
  const outdir = makeFolder()
  fs.writeFileSync(path.join(outdir, 'package.json'), '{"type":"module"}')
  buildSync({ ...options, entryPoints: files, outdir, splitting: true })
  return files.map((file) => path.join(outdir, path.relative(root, file).replace(/ts$/, 'js')))
}

/** Programs that tests start by the dozen as they are: through the loader, and with `import.meta` of the source. */
const programs = ['demo/server.ts', 'src/cli/bin.ts']

/**
 * Bundles each test file, and some programs, with what they import from this repository, for the loader (hooks.js). A test needs a hundred modules. As one
 * module they take a quarter of a second less of CPU, because Node 20 hands each module to the loader's thread.
 *
 * A bundle differs from its source in the names of functions: of two with one name, one gets another. The bundles are removed when this process ends.
 *
 * @returns the folder of the bundles, which has the layout of the repository.
 */
export async function bundleTests(): Promise<string> {
  const tests = fs.readdirSync(path.join(root, 'test'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.ts'))
  const outdir = makeFolder()
  await build({
    ...options,
    entryPoints: [...tests.map((name) => path.join('test', name)), ...programs],
    outdir,
    sourcemap: 'external',
    sourcesContent: false,
    define: { 'import.meta': '__meta' },
    plugins: [ownMeta]
  })
  await stop()
  return outdir
}

/** Keeps the URL and the path of each source file in `import.meta`. (Its `resolve` is missing.) */
const ownMeta: Plugin = {
  name: 'own-meta',
  setup(building) {
    building.onLoad({ filter: /\.ts$/ }, async ({ path: filename }) => {
      const text = await readFile(filename, 'utf8')
      const meta = { url: pathToFileURL(filename).href, dirname: path.dirname(filename), filename }
      return { loader: 'ts', contents: text.includes('import.meta') ? `const __meta = ${JSON.stringify(meta)}; ${text}` : text }
    })
  }
}

/** Makes a folder for the bundles of this process. */
function makeFolder(): string {
  // Below node_modules, so that the programs find the dependencies of the package.
  const cache = path.join(root, 'node_modules/.cache/bundles')
  fs.mkdirSync(cache, { recursive: true })
  removeOldEntries(cache)
  const folder = fs.mkdtempSync(path.join(cache, 'bundle-'))
  removeAtExit(folder)
  // Processes of other users run them, too.
  fs.chmodSync(folder, 0o755)
  return folder
}
