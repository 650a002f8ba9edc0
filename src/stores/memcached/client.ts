import { inspect } from 'node:util'
import { reasonOf, SessionError } from '../../errors.js'

/** The methods of a client that the store uses: those of `MemcacheClient` from the package memcache-client. */
export interface MemcachedClient {
  /** Resolves to `{ value, casUniq }`, or to `undefined` if nothing is stored. */
  gets(key: string): Promise<unknown>
  /** Resolves to `['STORED']`, or rejects with the error `NOT_STORED`. `lifetime` is memcached's `exptime`. */
  add(key: string, value: string, options: { lifetime: number }): Promise<unknown>
  /** Resolves to `['STORED']`, or rejects with the error `EXISTS` or `NOT_FOUND`. */
  cas(key: string, value: string, options: { lifetime: number; casUniq: string }): Promise<unknown>
}

/** The servers of the clients, as far as these show them: `127.0.0.1:11211`. */
export function addressesOf(nodes: ReadonlyMap<string, MemcachedClient>): string {
  return Array.from(nodes, ([name, client]) => {
    const server: unknown = (client as { options?: { server?: unknown } }).options?.server
    return typeof server === 'string' ? server : name || 'an unknown address'
  }).join(', ')
}

/** A stored value: the text, and the number that memcached gave to this state of it. */
export interface Stored {
  /** `undefined`: the value is not text. */
  readonly text: string | undefined
  readonly casUniq: string
}

/** Reads a value with its number. */
export async function readValue(client: MemcachedClient, key: string): Promise<Stored | undefined> {
  let answer: unknown
  try {
    answer = await promised('gets', client.gets(key))
  } catch (error) {
    // The number is not needed, because the kit never replaces a text that is not a record.
    if (isUnreadable(error)) return { text: undefined, casUniq: '' }
    throw error
  }
  if (answer === undefined) return undefined
  const { value, casUniq } = (answer ?? {}) as { value?: unknown; casUniq?: unknown }
  const number = String(casUniq)
  if (number === '0') {
    throw new SessionError('ERR_SESSION_STORE', 'memcached runs without compare-and-swap, which sessions need: start it without the option -C')
  }
  if (!/^\d+$/.test(number)) throw unexpected('gets', answer)
  return { text: typeof value === 'string' ? value : undefined, casUniq: number }
}

/** Stores a value under a free key. `false`: the key is taken. */
export async function addValue(client: MemcachedClient, key: string, text: string, exptime: number): Promise<boolean> {
  const answer = await stored('add', () => client.add(key, text, { lifetime: exptime }))
  if (answer !== 'STORED' && answer !== 'NOT_STORED') throw unexpected('add', answer)
  return answer === 'STORED'
}

/** Replaces the state of a value that has the number. `'EXISTS'`: another state is stored. */
export async function replaceValue(
  client: MemcachedClient,
  key: string,
  text: string,
  exptime: number,
  casUniq: string
): Promise<'STORED' | 'EXISTS' | 'NOT_FOUND'> {
  const answer = await stored('cas', () => client.cas(key, text, { lifetime: exptime, casUniq }))
  if (answer !== 'STORED' && answer !== 'EXISTS' && answer !== 'NOT_FOUND') throw unexpected('cas', answer)
  return answer
}

/** Returns the word with which memcached answered. For words that mean "not stored", the client rejects. */
async function stored(method: string, call: () => unknown): Promise<unknown> {
  try {
    const answer = await promised(method, call())
    return Array.isArray(answer) ? answer[0] : answer
  } catch (error) {
    const message = reasonOf(error)
    if (message === 'NOT_STORED' || message === 'EXISTS' || message === 'NOT_FOUND') return message
    throw error
  }
}

/** Refuses the answer of a client with callbacks: it is `undefined`, which must not be taken for "no session". */
function promised(method: string, answer: unknown): Promise<unknown> {
  if (typeof answer === 'object' && answer !== null && 'then' in answer) return answer as Promise<unknown>
  throw new SessionError('ERR_SESSION_STORE', `memcachedStore: client.${method}() answers no promise: use a client of the package memcache-client`)
}

function unexpected(method: string, answer: unknown): SessionError {
  const kind = typeof answer === 'string' ? answer.slice(0, 40) : inspect(answer, { depth: 0 }).slice(0, 40)
  return new SessionError('ERR_SESSION_STORE', `memcachedStore: client.${method}() answers ${kind}: use a client of the package memcache-client`)
}

/** Reports whether the client failed to unpack a value, because another program stored it with flags that do not fit it. */
function isUnreadable(error: unknown): boolean {
  return error instanceof SyntaxError || /decompress/.test(reasonOf(error))
}
