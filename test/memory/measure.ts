import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { runTypeScript } from '../support/typescript/option.js'

const program = fileURLToPath(new URL('run.ts', import.meta.url))

/** What the heap may hold more after the last quarter of the requests than after the second, in bytes. Before, caches fill. */
export const mostGrowth = 2_000_000

/** Makes requests in a process of their own and answers what its heap held after each quarter of them, in bytes. */
export async function heapsAfter(url: string, requests: number): Promise<number[]> {
  const child = fork(program, [url, String(requests)], { execArgv: ['--expose-gc', runTypeScript] })
  const exit = once(child, 'exit')
  const [heaps] = (await Promise.race([once(child, 'message'), exit.then(([code]) => Promise.reject(new Error(`the process ended with ${String(code)}`)))])) as [number[]]
  const [code] = (await exit) as [number | null]
  if (code !== 0) throw new Error(`the process ended with ${code}`)
  return heaps
}

export function growthOf(heaps: readonly number[]): number {
  return heaps.at(-1)! - heaps[1]!
}
