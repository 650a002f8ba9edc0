import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Cleanup } from './app.js'
import { Client, type Answer } from './client.js'
import { runTypeScript } from './typescript/option.js'

export const password = 'open sesame'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface Demo {
  /** The line that the demo has printed. */
  line: string
  origin: string
  signal(name: NodeJS.Signals): void
  ended: Promise<Ended>
  /** Sends SIGTERM and waits for the end. */
  stop(): Promise<Ended>
}

/** A directory of the test's own, removed after it. */
export async function makeDirectory(t: Cleanup): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'keepsake-demo-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** The names of the files of sessions. A login leaves a marker under the visitor's old id for a minute, which is none. */
export async function recordsIn(dir: string): Promise<string[]> {
  const names = (await readdir(dir).catch((): string[] => [])).filter((name) => name.endsWith('.json'))
  const texts = await Promise.all(names.map((name) => readFile(join(dir, name), 'utf8')))
  return names.filter((_, at) => !('moved' in (JSON.parse(texts[at]!) as object)))
}

/** Starts the demo with nothing of this environment but PATH and HOME, and with the bundles that `npm test` makes: it loads in half of the time. */
export function spawnDemo(t: Cleanup, env: Record<string, string>): { child: ChildProcess; ended: Promise<Ended> } {
  const { PATH = '', HOME = '', TEST_BUNDLES = '' } = process.env
  const child = spawn(process.execPath, [runTypeScript, 'demo/server.ts'], { cwd: root, env: { PATH, HOME, TEST_BUNDLES, TZ: 'UTC', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  live.add(child)
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  const ended = once(child, 'close').then(([code, signal]) => ({ code: code as number | null, signal: signal as NodeJS.Signals | null, ...output }))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, ended }
}

// However a test process ends, its servers end with it.
const live = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of live) child.kill('SIGKILL')
})

/** Starts the demo on a free port and waits for its line. */
export async function startDemo(t: Cleanup, env: Record<string, string>): Promise<Demo> {
  const { child, ended } = spawnDemo(t, { PORT: '0', ...env })
  const lines = createInterface({ input: child.stdout! })
  const line = await Promise.race([once(lines, 'line').then(([first]) => String(first)), ended.then(({ stderr }) => Promise.reject(new Error(`the demo ended: ${stderr}`)))])
  const origin = /http:\/\/\S+:\d+/.exec(line)?.[0]
  if (origin === undefined) throw new Error(`the line has no address: ${line}`)
  return {
    line,
    origin,
    signal: (name) => void child.kill(name),
    ended,
    stop: () => {
      child.kill('SIGTERM')
      return ended
    }
  }
}

/** A user of the demo's forms, who sends each form with the token of the page before. */
export class Guest {
  readonly client: Client
  token = ''

  readonly #headers: Record<string, string>

  constructor(origin: string | Client, userAgent?: string) {
    this.client = typeof origin === 'string' ? new Client(origin) : origin
    this.#headers = userAgent === undefined ? {} : { 'user-agent': userAgent }
  }

  async get(path: string): Promise<Answer> {
    return this.#read(await this.client.get(path, { headers: this.#headers }))
  }

  /** Sends a form and returns the first response, which may be a redirect. */
  async send(path: string, fields: Record<string, string> = {}): Promise<Answer> {
    const form = new URLSearchParams({ _csrf: this.token, ...fields })
    return this.#read(await this.client.post(path, form.toString(), { headers: { ...this.#headers, 'content-type': 'application/x-www-form-urlencoded' } }))
  }

  async login(fields: Record<string, string> = {}): Promise<Answer> {
    await this.get('/login')
    const answer = await this.send('/login', { name: 'Momo', password, ...fields })
    await this.get('/')
    return answer
  }

  /** The number that the counter shows. `undefined`: nobody is logged in. */
  async count(): Promise<number | undefined> {
    const shown = /<output id="count">(\d+)</.exec((await this.get('/')).text)?.[1]
    return shown === undefined ? undefined : Number(shown)
  }

  #read(answer: Answer): Answer {
    const token = /name="_csrf" value="([^"]+)"/.exec(answer.text)?.[1]
    if (token !== undefined) this.token = token
    return answer
  }
}
