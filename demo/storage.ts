import { readdir, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { Context } from 'koa'
import type { SessionOptions, SessionRecord, SessionStore } from '../src/index.js'
import { defaultScope } from '../src/store/index.js'
import { directoryOf, type Environment } from './config.js'
import { connectRedisFacts } from './redis-facts.js'

/** Where sessions are kept: what the demo says about it, and the record as it is stored there. */
export interface Storage {
  /** In words, for the line at the start and for the pages. */
  words: string
  /** The harm that a reader of the storage can do. */
  note: string
  /** Whether the sessions of a user can be listed. */
  listsOwners: boolean
  /** Whether sessions are there after a restart of the demo. */
  outlivesProcess: boolean
  /** The record of this request's session. */
  read(ctx: Context): Promise<SessionRecord | undefined>
  /** Facts about where the record of that id is kept. */
  describe(id: string): Promise<Fact[]>
  close(): Promise<void>
}

export type Fact = readonly [term: string, fact: string]

/** @param options those that the settings in the environment gave. */
export async function openStorage(env: Environment, { store, prefix = defaultScope.prefix, name = 'session' }: SessionOptions): Promise<Storage> {
  if (!store || !('read' in store)) return inCookie(name)
  const key = async (id: string): Promise<Fact[]> => [['Key', prefix + id]]
  switch (env['SESSION_TYPE']?.toLowerCase() ?? 'filesystem') {
    case 'file':
    case 'filesystem':
      return inStore(store, prefix, `the directory ${shortest(directoryOf(env))}`, (id) => factsOfFile(directoryOf(env), id))
    case 'memory':
      return { ...inStore(store, prefix, 'the memory of this process', key), outlivesProcess: false }
    case 'redis': {
      const url = env['SESSION_REDIS'] ?? 'redis://127.0.0.1:6379'
      const facts = await connectRedisFacts(url)
      const storage = inStore(store, prefix, `Redis at ${withoutSecrets(url)}`, (id) => facts.describe(prefix + id))
      return { ...storage, close: async () => void (await Promise.all([facts.close(), storage.close()])) }
    }
    case 'memcached':
      return inStore(store, prefix, `memcached at ${withoutSecrets(env['SESSION_MEMCACHED'] ?? '127.0.0.1:11211')}`, key)
    case 'mongodb':
      return inStore(store, prefix, `MongoDB at ${withoutSecrets(env['SESSION_MONGODB'] ?? '127.0.0.1:27017')}`, key)
    default:
      return inStore(store, prefix, `a table in ${withoutSecrets(env['SESSION_SQLALCHEMY'] ?? env['SQLALCHEMY_DATABASE_URI'] ?? '')}`, key)
  }
}

function inStore(store: SessionStore, prefix: string, words: string, describe: Storage['describe']): Storage {
  const scoped = store.scope?.({ ...defaultScope, prefix }) ?? store
  return {
    words,
    listsOwners: store.ownedBy !== undefined,
    outlivesProcess: true,
    note: 'The name is the SHA-256 of the secret in your cookie. Nobody who reads the store can make a cookie of it.',
    read: async ({ session: { recordId } }) => (recordId === undefined ? undefined : scoped.read(recordId)),
    describe,
    close: async () => store.close?.()
  }
}

/** The record is the middle part of the cookie, for everybody to read. What it says was verified when the request came in. */
function inCookie(name: string): Storage {
  return {
    words: 'the cookie itself',
    listsOwners: false,
    outlivesProcess: true,
    note: 'The cookie is signed and not encrypted: everybody who has it can read it, and nobody can change it.',
    async read(ctx) {
      const [, payload] = ctx.cookies.get(name, { signed: false })?.split('.') ?? []
      if (ctx.session.isNew || payload === undefined) return undefined
      return JSON.parse(Buffer.from(payload, 'base64url').toString()) as SessionRecord
    },
    describe: async () => [['Cookie', 'this browser keeps it, and the server keeps nothing']],
    close: async () => {}
  }
}

async function factsOfFile(dir: string, id: string): Promise<Fact[]> {
  const names = await readdir(dir).catch((): string[] => [])
  const path = join(dir, names.find((name) => name.endsWith(`${id}.json`)) ?? `${id}.json`)
  const file = await stat(path).catch(() => undefined)
  const facts: Fact[] = [['File', shortest(path)]]
  if (file) facts.push(['Mode', (file.mode & 0o777).toString(8).padStart(4, '0')], ['Size', `${file.size} bytes`])
  return facts
}

/** As seen from where the demo was started, if it lies there. */
function shortest(path: string): string {
  const seen = relative(process.cwd(), path)
  return seen === '' || seen.startsWith(`..${sep}`) || seen === '..' ? path : seen
}

/** The host and what comes after it, without a user, a password and options. */
function withoutSecrets(url: string): string {
  return url.replace(/^[a-z0-9+]+:\/\//i, '').replace(/^.*@/s, '').replace(/[?#].*$/s, '').replace(/\/$/, '')
}
