import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { root } from './snippets.js'

const modules = fileURLToPath(new URL('node_modules', root))

/** The directory of an application that has installed the package, for the snippets of one page. */
export class SnippetProject {
  readonly #dir = mkdtempSync(join(tmpdir(), 'keepsake-page-'))

  constructor(files: { readonly [name: string]: string }) {
    symlinkSync(modules, join(this.#dir, 'node_modules'))
    const compilerOptions = {
      strict: true, noEmit: true, target: 'es2023', lib: ['es2023'], module: 'nodenext', types: ['node'], skipLibCheck: true,
      paths: { 'koa-keepsake': [fileURLToPath(new URL('src/index.ts', root))], 'koa-keepsake/testing': [fileURLToPath(new URL('src/testing/index.ts', root))] }
    }
    const all = { 'package.json': '{"type":"module"}', 'tsconfig.json': JSON.stringify({ compilerOptions, include: ['*.ts'] }), ...files }
    for (const [name, text] of Object.entries(all)) writeFileSync(join(this.#dir, name), text)
  }

  /** Compiles all files and returns the compiler's messages. */
  async compile(): Promise<string> {
    const compiler = promisify(execFile)(process.execPath, [join(modules, 'typescript/bin/tsc'), '-p', this.#dir])
    return compiler.then(({ stdout }) => stdout, (error: { stdout: string }) => error.stdout)
  }

  pathOf(name: string): string {
    return join(this.#dir, name)
  }

  async load(name: string): Promise<unknown> {
    return import(pathToFileURL(this.pathOf(name)).href)
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true })
  }
}
