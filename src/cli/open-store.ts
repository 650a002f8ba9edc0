import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { settings } from '../settings/index.js'
import { defaultScope, type SessionRecord, type SessionStore } from '../store/index.js'
import { directoryIn } from '../stores/open-local.js'
import { isCookieStore } from '../stores/cookie.js'
import { storeFromUrl } from '../stores/from-url.js'
import { CommandError, type Io } from './io.js'

/** A store that the command has opened. */
export interface Opened {
  readonly store: SessionStore
  /** The name in messages: the store's URL without password and options. */
  readonly name: string
  readonly prefix: string
  /** The directory of a file store. */
  readonly dir: string | undefined
  /** The file of an SQLite database. */
  readonly database: string | undefined
}

/** The options that every subcommand has. */
export interface StoreOptions {
  /** Absent: the `SESSION_*` of the environment. */
  readonly store?: string
  /** Absent: `SESSION_KEY_PREFIX` of the environment, or `session:`. */
  readonly prefix?: string
}

/**
 * The size in bytes over which a text counts as corrupt. The command does not know the application's `maxBytes`. With a limit of its own it would
 * take the large records of an application that allows them for corrupt, and the file store moves such files aside.
 */
const largest = 64 * 1024 * 1024

/** Opens the store of `--store`, or the one that the environment names. */
export function openStore(options: StoreOptions, io: Io): Opened {
  return options.store === undefined ? openEnvironment(options, io) : openUrl(options.store, options, io)
}

/** @param isTarget whether the store may be new: otherwise a missing directory or file is most likely a mistake. */
export function openUrl(url: string, { prefix }: StoreOptions, { env }: Io, isTarget = false): Opened {
  const scheme = /^[^:]*:/.exec(url)?.[0].toLowerCase()
  if (scheme === 'memory:') throw inAnotherProcess('memory:')
  const dir = scheme === 'file:' ? resolve(directoryIn(url, '--store')) : undefined
  const database = scheme === 'sqlite:' && URL.canParse(url) ? resolve(decodeURIComponent(new URL(url).pathname)) : undefined
  for (const path of [dir, database]) {
    if (!isTarget) assertExists(path)
    assertOwn(path)
  }
  // The command must not evict sessions: it does not know the application's threshold.
  const store = storeFromUrl(url, dir === undefined ? {} : { threshold: 0 })
  return { ...scoped(store, prefix ?? env['SESSION_KEY_PREFIX']), name: nameOf(url), dir, database }
}

function openEnvironment({ prefix }: StoreOptions, { env }: Io): Opened {
  const type = (env['SESSION_TYPE'] ?? 'filesystem').toLowerCase()
  if (type === 'memory') throw inAnotherProcess('SESSION_TYPE=memory')
  const options = settings({ ...env, SESSION_FILE_THRESHOLD: '0' })
  if (isCookieStore(options.store)) throw new CommandError(`SESSION_TYPE=${type} keeps each session in its own cookie, so there is no store to look into`)
  const dir = type === 'filesystem' || type === 'file' ? resolve(env['SESSION_FILE_DIR'] ?? 'sessions') : undefined
  assertExists(dir)
  assertOwn(dir)
  return { ...scoped(options.store!, prefix ?? options.prefix), name: dir ?? `SESSION_TYPE=${type}`, dir, database: undefined }
}

function scoped(store: SessionStore, prefix = defaultScope.prefix): Pick<Opened, 'store' | 'prefix'> {
  return { store: store.scope?.({ ...defaultScope, prefix, largest }) ?? store, prefix }
}

function assertExists(path: string | undefined): void {
  if (path === undefined || statSync(path, { throwIfNoEntry: false })) return
  throw new CommandError(`there is no ${path}: check --store and the working directory, to which a relative path belongs`)
}

/** The files of another user's application would belong to the user of this command, so that the application could not use them any more. */
function assertOwn(path: string | undefined): void {
  const user = process.geteuid?.()
  const uid = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false })?.uid
  if (user === undefined || uid === undefined || uid === user || uid === 0) return
  throw new CommandError(`${path} belongs to the user with the id ${uid}: run this command as that user, for example with sudo -u '#${uid}'`)
}

function inAnotherProcess(what: string): CommandError {
  return new CommandError(`${what} keeps the sessions inside the process of the application, where this command cannot see them: call the methods of session() there, such as sessions.all()`)
}

/** A URL without user, password and options, which may be secret. */
function nameOf(url: string): string {
  const [plain = ''] = url.split(/[?#]/)
  return plain.replace(/^([^:]+:\/\/)(?:.*@)?/, '$1')
}

/** Lists the live sessions, or those of an owner. @throws CommandError when the store cannot. */
export function listingOf({ store, name }: Opened, owner?: string): AsyncIterable<SessionRecord> {
  const listing = owner === undefined ? store.records?.() : store.ownedBy?.(owner)
  if (listing) return listing
  throw new CommandError(`${name} cannot list its sessions, because the server keeps no list: show ID and end ID work with the whole id, and copy works towards it`)
}
