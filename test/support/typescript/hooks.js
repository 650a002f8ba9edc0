import { hash } from 'node:crypto'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const root = new URL('../../../', import.meta.url)
/** JavaScript by the hash of its TypeScript. */
const cache = fileURLToPath(new URL('node_modules/.cache/typescript/', root))
const require = createRequire(import.meta.url)

/** The modules that `paths` in tsconfig.json name, so that tests use the source instead of the build. */
const own = new Map([
  ['koa-keepsake', 'src/index.ts'],
  ['koa-keepsake/migrating', 'src/migrating/index.ts'],
  ['koa-keepsake/store', 'src/store/index.ts'],
  ['koa-keepsake/testing', 'src/testing/index.ts']
])

/** TypeScript imports `./file.ts` as `./file.js`. */
export function resolve(specifier, context, next) {
  if (own.has(specifier) && context.parentURL?.endsWith('.ts')) return found(new URL(own.get(specifier), root))
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
  return { format: 'module', source: withoutTypes(fs.readFileSync(fileURLToPath(url), 'utf8')), shortCircuit: true }
}

/** Replaces types by blanks, so that every line and column stays where it is. */
function withoutTypes(text) {
  const file = `${cache}${hash('sha256', text)}.js`
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    const { code } = require('@swc/wasm-typescript').transformSync(text, { mode: 'strip-only' })
    fs.mkdirSync(cache, { recursive: true })
    const written = `${file}.${process.pid}`
    fs.writeFileSync(written, code)
    fs.renameSync(written, file)
    return code
  }
}
