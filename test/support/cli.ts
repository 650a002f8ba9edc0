import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { TestFn } from 'ava'
import { run, type Io } from '../../src/cli/index.js'
import { needs } from './needs.js'
import { runTypeScript } from './typescript/option.js'

/** What a command has printed, and its exit status. */
export interface Result {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly env?: Io['env']
  /** The width of a terminal. Absent: the output is a pipe. */
  readonly columns?: number
  /** What the user types. Absent: the input is no terminal. */
  readonly input?: string
}

/** Runs the command in this process, with streams of its own. */
export async function runCommand(args: readonly string[], { env = {}, columns, input }: CommandOptions = {}): Promise<Result> {
  const output = () => Object.assign(new PassThrough({ encoding: 'utf8', highWaterMark: 64 * 1024 * 1024 }), columns === undefined ? {} : { isTTY: true, columns })
  const [stdout, stderr, stdin] = [output(), output(), new PassThrough()]
  if (input !== undefined) {
    Object.assign(stdin, { isTTY: true })
    stdin.end(input)
  }
  const status = await run(args, { stdin, stdout, stderr, env })
  return { status, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') }
}

const bin = fileURLToPath(new URL('../../src/cli/bin.ts', import.meta.url))
const argv = [runTypeScript, bin]

/** Runs the command in a process of its own, with pipes. */
export function runProcess(args: readonly string[]): Promise<Result> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...argv, ...args], (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}

/** Runs the command in a process of its own, and closes one of its output pipes at once. Returns the exit status. */
export async function runWithClosed(closed: 'stdout' | 'stderr', args: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, [...argv, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  child[closed].destroy()
  child[closed === 'stdout' ? 'stderr' : 'stdout'].resume()
  const [status] = (await once(child, 'close')) as [number | null]
  return status
}

/** AVA's `test`, or one that skips everything where there is no program that makes a terminal. */
export function needsTerminal(test: TestFn): TestFn {
  return needs(test, spawnSync('script', ['--version']).status === 0, 'Terminal', 'script is missing: apt-get install bsdutils')
}

/** Runs the command in a real terminal of 80 columns. Returns what it shows, without the sequences that move the cursor. @param input what the user types. */
export async function runInTerminal(args: readonly string[], input = ''): Promise<{ status: number; screen: string }> {
  const quoted = [process.execPath, ...argv, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const child = spawn('script', ['-qec', `stty cols 80 rows 24 && exec ${quoted}`, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] })
  let screen = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    screen += part
    if (input !== '' && screen.includes('[y/N]')) child.stdin.end(input)
  })
  const [status] = (await once(child, 'close')) as [number]
  // eslint-disable-next-line no-control-regex
  return { status, screen: screen.replace(/\u001B(?:\[[\d;?]*[A-Za-z]|[78])/g, '').replaceAll('\r', '') }
}
