import { build, type Plugin } from 'esbuild'
import fs from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const outdir = path.join(root, 'node_modules/.cache/tests')

/** Programs that tests start by the dozen. */
const programs = ['demo/server.ts', 'src/cli/bin.ts']

/**
 * Bundles each test file, and some programs, with what they import from this repository. One module loads in a quarter of a second less of CPU than the
 * hundred that a test needs, of which Node 20 hands each to the loader's thread.
 *
 * @returns the folder of the bundles, for the loader (`TEST_BUNDLES`). It has the layout of the repository.
 */
export async function bundleTests(): Promise<string> {
  fs.rmSync(outdir, { recursive: true, force: true })
  const tests = fs.readdirSync(path.join(root, 'test'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.ts'))
  await build({
    absWorkingDir: root,
    entryPoints: [...tests.map((name) => path.join('test', name)), ...programs],
    outdir,
    outbase: root,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'external',
    sourcesContent: false,
    define: { 'import.meta.url': '__url', 'import.meta.dirname': '__dirname' },
    plugins: [ownMeta],
    logLevel: 'warning'
  })
  return outdir
}

/** Keeps `import.meta` what it is without bundles: that of the source file. */
const ownMeta: Plugin = {
  name: 'own-meta',
  setup(building) {
    building.onLoad({ filter: /\.ts$/ }, async ({ path: file }) => {
      const text = await readFile(file, 'utf8')
      const meta = `const __url = ${JSON.stringify(pathToFileURL(file))}, __dirname = ${JSON.stringify(path.dirname(file))}; `
      return { loader: 'ts', contents: text.includes('import.meta.') ? meta + text : text }
    })
  }
}
