import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type Koa from 'koa'
import { SnippetProject } from '../snippet-project.js'
import { root, snippetsOf } from '../snippets.js'

/** A page of docs/guides, whose snippets are one module. */
export interface Guide {
  /** The file's name without its ending. */
  readonly page: string
  /** The names of the page's code that a test uses. */
  readonly exports: readonly string[]
  /** Changes of the code for a test: what is replaced, and by what. */
  readonly replace?: readonly (readonly [from: string, to: string])[]
}

/** What the guides take for granted. */
const givens = `
interface User { readonly id: string; readonly name: string }
const users: readonly User[] = [{ id: '17', name: 'momo' }, { id: '18', name: 'lin' }]
const findUser = async (name?: string, password?: string): Promise<User | undefined> => (password === 'tea' ? users.find((user) => user.name === name) : undefined)
const userById = (id: string): User => users.find((user) => user.id === id)!
const paid: unknown[] = []
const pay = async (order: unknown): Promise<{ paid: number }> => ({ paid: paid.push(order) })
void [findUser, userById, pay]
`

/** Registers a test that the guides compile. Returns a function that runs a guide and returns what it exports. */
export function testGuides(guides: readonly Guide[]): <Exports>(page: string) => Promise<Exports> {
  const untyped = readFileSync(new URL('test/neighbours/untyped.d.ts', root), 'utf8')
  const project = new SnippetProject({ 'untyped.d.ts': untyped, ...Object.fromEntries(guides.map((guide) => [`${guide.page}.ts`, moduleOf(guide)])) })
  // Sessions in files are kept below the working directory.
  const work = mkdtempSync(join(tmpdir(), 'keepsake-guides-'))
  process.chdir(work)
  process.env['SECRET_KEY'] = 'a secret of more than thirty-two characters'
  test.after.always(() => {
    project.remove()
    rmSync(work, { recursive: true, force: true })
  })

  test('the code of the guides compiles under strict', async (t) => {
    t.is(await project.compile(), '')
  })

  return async <Exports>(page: string) => (await project.load(`${page}.ts`)) as Exports
}

function moduleOf({ page, exports, replace = [] }: Guide): string {
  let code = snippetsOf(`docs/guides/${page}.md`).map((snippet) => snippet.code).join('\n')
  for (const [from, to] of replace) {
    if (!code.includes(from)) throw new Error(`docs/guides/${page}.md has no ${from}`)
    code = code.replaceAll(from, to)
  }
  return `${givens}${code}\n${exports.length > 0 ? `export { ${exports.join(', ')} }` : ''}`
}

/** What most guides export. */
export interface WithApp {
  readonly app: Koa
}
