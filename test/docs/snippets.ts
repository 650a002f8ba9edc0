import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type Koa from 'koa'
import * as exported from '../../src/index.js'

export const root = new URL('../../', import.meta.url)
export const readPage = (path: string): string => readFileSync(new URL(path, root), 'utf8')

/** A piece of code in a page. */
export interface Snippet {
  /** Where it is, for titles: `README.md, snippet 1`. */
  readonly title: string
  readonly code: string
}

export function snippetsOf(page: string): Snippet[] {
  return Array.from(readPage(page).matchAll(/^```[tj]s\n(.*?)^```/gms), ([, code], at) => ({ title: `${page}, snippet ${at + 1}`, code: code! }))
}

const ownPath = fileURLToPath(import.meta.url).replace(/\.ts$/, '.js')

/** What the pages take for granted: each name with what makes it, in the order in which they need each other. */
const givens: { readonly [name: string]: string } = {
  Koa: `import Koa from 'koa'`,
  ctx: `declare const ctx: import('koa').Context`,
  user: `const user = { id: '17' }`,
  checkPassword: `const checkPassword = async (body: unknown) => ((body as { name?: string }).name === 'momo' ? { id: '17' } : undefined)`,
  metrics: `const metrics = { count(name: string): void { void name } }`,
  app: `const app = new Koa()\napp.keys = ['a secret of more than thirty-two characters']`,
  origin: `import { serve } from '${ownPath}'\nconst origin = await serve(app)`,
  router: `import { Router } from '@koa/router'\nimport { bodyParser } from '@koa/bodyparser'
const router = new Router()
app.use(bodyParser()).use(session({ store: memoryStore() })).use(router.routes())`
}
/** What the code of a given needs itself. */
const needs: { readonly [name: string]: readonly string[] } = { app: ['Koa'], origin: ['app', 'Koa'], router: ['app', 'Koa'] }

/** The module that a snippet is in its reader's application. It exports what the snippet makes. */
export function moduleOf({ code }: Snippet): string {
  const missing = Object.keys(givens).filter((name) => uses(code, name) && !declares(code, name))
  const names = new Set([...missing, ...missing.flatMap((name) => needs[name] ?? [])])
  const before = Object.keys(givens).filter((name) => names.has(name) && !declares(code, name)).map((name) => givens[name]!)
  const text = [...before, code].join('\n').replace(/^app\.listen\(.*$/m, '')
  const imports = Object.keys(exported).filter((name) => new RegExp(`(?<![.\\w])${name}\\(`).test(text) && !declares(text, name))
  const made = ['app', 'client', 'store'].filter((name) => declares(text, name))
  return [
    ...(imports.length > 0 ? [`import { ${imports.join(', ')} } from 'koa-keepsake'`] : []),
    text,
    `export { ${made.join(', ')} }`
  ].join('\n')
}

export function uses(code: string, name: string): boolean {
  return new RegExp(`(?<![.\\w'/-])${name}(?![\\w'-])`).test(withoutParameters(code, name))
}

/** A parameter of a function is no name that the snippet takes for granted. */
function withoutParameters(code: string, name: string): string {
  return new RegExp(`\\(${name}\\b[^)]*\\) =>`).test(code) ? '' : code
}

function declares(code: string, name: string): boolean {
  return Array.from(code.matchAll(/^(?:const|import)\b([^='"]*)(?:=| from )/gm)).some(([, names]) => new RegExp(`\\b${name}\\b`).test(names!))
}

/** Starts an application for a snippet. It does not keep the process alive. */
export async function serve(app: Koa): Promise<string> {
  const answer = app.callback()
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
