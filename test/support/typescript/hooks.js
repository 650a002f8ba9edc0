import { hash } from 'node:crypto'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = new URL('../../../', import.meta.url)
/** JavaScript by the hash of its TypeScript. */
const cache = fileURLToPath(new URL('node_modules/.cache/typescript/', root))
/** The folder that `bundleTests()` has made (bundle.ts). Absent: each module is loaded by itself. */
const bundles = process.env['TEST_BUNDLES']
const require = createRequire(import.meta.url)

/** The files of the package's own names, so that tests use the source instead of the build. */
const { paths } = JSON.parse(fs.readFileSync(new URL('tsconfig.json', root), 'utf8')).compilerOptions

/** TypeScript imports `./file.ts` as `./file.js`. */
export function resolve(specifier, context, next) {
  if (Object.hasOwn(paths, specifier) && context.parentURL?.endsWith('.ts')) return found(new URL(paths[specifier][0], root))
  if (/^(\.{0,2}\/|file:).*\.js$/.test(specifier)) {
    const url = new URL(specifier.replace(/js$/, 'ts'), context.parentURL)
    if (fs.existsSync(url)) return found(url)
  }
  return next(specifier, context)
}

function found(url) {
  return { url: url.href, format: 'module', shortCircuit: true }
}

export function load(url, context, next) {
  if (!url.endsWith('.ts') || url.includes('/node_modules/')) return next(url, context)
  const file = fileURLToPath(url)
  return { format: 'module', source: bundled(file) ?? withoutTypes(file), shortCircuit: true }
}

/** The bundle of a test file or a program. `undefined`: there is none. */
function bundled(file) {
  if (!bundles) return
  const bundle = path.join(bundles, path.relative(fileURLToPath(root), file)).replace(/ts$/, 'js')
  // Node reads a source map of a relative URL, and no other.
  if (fs.existsSync(bundle)) return `${fs.readFileSync(bundle, 'utf8')}\n//# sourceMappingURL=${path.relative(path.dirname(file), bundle)}.map`
}

/** Reads a file and replaces its types by blanks, so that every line and column stays where it is. */
function withoutTypes(file) {
  const text = fs.readFileSync(file, 'utf8')
  const kept = `${cache}${hash('sha256', text)}.js`
  if (fs.existsSync(kept)) return fs.readFileSync(kept, 'utf8')
  const code = stripped(text, file)
  fs.mkdirSync(cache, { recursive: true })
  // Another process may write it at the same moment.
  const written = `${kept}.${process.pid}`
  fs.writeFileSync(written, code)
  fs.renameSync(written, kept)
  return code
}

function stripped(text, file) {
  try {
    return require('@swc/wasm-typescript').transformSync(text, { mode: 'strip-only', filename: file }).code
  } catch (error) {
    // It is no `Error`.
    throw new SyntaxError(`${file}:${error.startLine}: ${error.message}`)
  }
}
