import type { SessionStore } from '../store/index.js'
import { fileStore, type FileStoreOptions } from './file/index.js'
import { memoryStore, type MemoryStoreOptions } from './memory/index.js'

/** The options that are numbers. A query holds them as text. */
const numericOptions = new Set(['threshold', 'sweepEvery', 'maxSessions'])

/**
 * Opens `file:var/sessions?threshold=5000&mode=600`. The path is relative to the working directory, or absolute: `file:/var/sessions`.
 *
 * It parses the text itself, because `URL` makes every path absolute.
 */
export function openFile(url: string, options: FileStoreOptions, where: string): SessionStore {
  const dir = directoryIn(url, where)
  if ('dir' in options) throw new TypeError(`${where}: unknown option "dir": the URL names the directory`)
  return fileStore({ ...parts(url).query, ...options, dir })
}

/** The directory that a `file:` URL names. */
export function directoryIn(url: string, where: string): string {
  const { path } = parts(url)
  // In `file://var/sessions`, `var` would be a host, which nobody means.
  if (/^\/\/(?!\/|localhost\/)/i.test(path)) throw new TypeError(`${where}: a file: URL has no host: write file:var/sessions or file:/var/sessions`)
  const dir = decoded(path.replace(/^\/\/(localhost(?=\/))?/i, ''), where)
  if (dir === '') throw new TypeError(`${where}: a file: URL must name a directory, such as file:var/sessions`)
  return dir
}

/** Opens `memory:` or `memory:?maxSessions=1000`. */
export function openMemory(url: string, options: MemoryStoreOptions, where: string): SessionStore {
  const { path, query } = parts(url)
  if (path !== '' && path !== '//') throw new TypeError(`${where}: a memory: URL has no host and no path: write memory:`)
  return memoryStore({ ...query, ...options })
}

/** The text between the scheme and the query, and the options in the query. */
function parts(url: string): { path: string; query: { [name: string]: string | number } } {
  const [, path = '', query = ''] = /^[^:]+:([^?#]*)\??([^#]*)/.exec(url) ?? []
  const options = Array.from(new URLSearchParams(query), ([name, value]): [string, string | number] => [name, numericOptions.has(name) && /^\d+$/.test(value) ? Number(value) : value])
  return { path, query: Object.fromEntries(options) }
}

function decoded(path: string, where: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw new TypeError(`${where}: a % in a file: URL must begin an encoded character such as %20: write %25 for a % itself`)
  }
}
