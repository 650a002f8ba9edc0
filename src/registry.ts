import { carrierRequest, type Transport } from './cookie/index.js'
import { assertOption, kindOf } from './checks.js'
import { SessionError } from './errors.js'
import type { Settings } from './options.js'
import { decode, isOwner, isSealed, type SessionRecord } from './record/index.js'
import type { RecordSources } from './record-sources.js'
import { chooseRecord, endOf, endOwned, endSession, reportSealedRecord } from './request/index.js'
import { assertId, type TimedStore } from './store/index.js'

/** A session as the methods of the middleware show it outside a request. */
export interface SessionInfo<Data = { readonly [key: string]: unknown }> {
  /** The id of the record, the SHA-256 of the sid. You may show it, log it and put it into a form. */
  readonly id: string
  /** The user to whom the session belongs; `undefined` for an anonymous visitor's. */
  readonly owner: string | undefined
  readonly createdAt: Date
  /** When the session was last used, to within `touchAfter`. */
  readonly usedAt: Date
  readonly expiresAt: Date
  readonly permanent: boolean
  /** A copy of the data. To change it, use `ctx.session` in a request. */
  readonly data: Data
}

/** A session of a middleware with the option `seal`. Only a request with its cookie can read its data. */
export type SealedSessionInfo = SessionInfo<{ readonly [key: string]: unknown } | 'sealed'>

/** A request as far as `read` needs it: Node's own, in an upgrade, an SSE handler or another framework. */
export interface RequestWithHeaders {
  readonly headers: { readonly cookie?: string | undefined }
}

/** The methods with which a middleware gives access to its sessions outside a request. They use its store, prefix, clock and timeout. */
export interface SessionRegistry<Listed extends SealedSessionInfo = SessionInfo> {
  /** Lists the live sessions of an owner, in no order. @throws TypeError when the store cannot list owners. */
  ownedBy(owner: string): AsyncIterable<Listed>
  /** Lists all live sessions, in no order. @throws TypeError when the store cannot list sessions. */
  all(): AsyncIterable<Listed>
  /** Returns a live session; `undefined` if there is none of that id. @throws TypeError when the store cannot find sessions by id. */
  find(id: string): Promise<Listed | undefined>
  /** Ends a session: its user is logged out. Reports whether there was one. */
  end(id: string): Promise<boolean>
  /**
   * Ends the sessions of an owner and returns how many it ended.
   *
   * @param options.except the id of a session to keep, for example `ctx.session.recordId`.
   * @throws TypeError when the store cannot list owners.
   */
  endOwnedBy(owner: string, options?: { except?: string | undefined }): Promise<number>
  /** Counts the live sessions, by listing them. @throws TypeError when the store cannot list sessions. */
  count(): Promise<number>
  /** Removes expired records and returns how many it removed. */
  prune(): Promise<number>
  /**
   * Reads the session of a request, without moving its deadline and without sending a cookie: for an upgrade to WebSocket, server-sent events
   * or another framework. `undefined`: the request has no live session.
   *
   * Give `session()` the option `keys`, because `app.keys` is known only after the first request to the application.
   *
   * @throws SessionError when the store fails, or `ERR_SESSION_KEYS` when there are no keys.
   */
  read(request: RequestWithHeaders): Promise<SessionInfo | undefined>
  /** Waits for calls in progress and closes the store. */
  close(): Promise<void>
}

/** @param keysOfApp the keys of the application, as far as it is known. */
export function createRegistry(
  settings: Settings,
  transport: Transport,
  store: TimedStore | undefined,
  sources: RecordSources,
  keysOfApp: () => unknown
): SessionRegistry<SealedSessionInfo> {
  /** The sessions that a request could open: the options may have been made stricter since a record was written. */
  async function* list(owner?: string): AsyncGenerator<SessionRecord> {
    const lists = owner === undefined ? store?.listsRecords : store?.listsOwners
    if (!store || !lists) throw cannotList(owner === undefined ? 'list its sessions' : 'list the sessions of an owner')
    for await (const record of store.list(owner)) if (isOpen(record)) yield record
  }

  return {
    async *ownedBy(owner) {
      assertOwner('ownedBy', owner)
      for await (const record of list(owner)) yield listedInfo(record)
    },
    async *all() {
      for await (const record of list()) yield listedInfo(record)
    },
    async find(id) {
      assertId(id)
      const record = await storeOf('find a session').read(id)
      return record && !record.moved && isOpen(record) ? listedInfo(record) : undefined
    },
    async end(id) {
      assertId(id)
      return endSession(storeOf('end a session'), id)
    },
    async endOwnedBy(owner, { except } = {}) {
      assertOwner('endOwnedBy', owner)
      if (!store?.listsOwners) throw cannotList('end the sessions of an owner')
      return endOwned(store, owner, except)
    },
    async count() {
      let count = 0
      for await (const _ of list()) count++
      return count
    },
    async prune() {
      return storeOf('prune').prune()
    },
    async read(request) {
      const keys = settings.keys ?? keysOfApp()
      if (keys === undefined && (settings.cookieRules.signed || settings.seal !== false)) throw unknownKeys()
      const tokens = transport.read(carrierRequest(request), keys)
      const found = await chooseRecord(sources.forRequest(tokens, keys), tokens, settings.cookieRules.cookie.previous.length > 0)
      return found?.record && !found.record.moved ? infoOf(found.record) : undefined
    },
    async close() {
      await store?.close()
    }
  }

  function isOpen(record: SessionRecord): boolean {
    const isRefused = settings.seal === true && !isSealed(record)
    return settings.now() < endOf(settings, record) && !isRefused
  }

  function listedInfo(record: SessionRecord): SealedSessionInfo {
    if (!isSealed(record)) return infoOf(record)
    if (settings.seal === false) throw reportSealedRecord()
    return { ...infoOf(record), data: 'sealed' }
  }

  function storeOf(action: string): TimedStore {
    if (!store) throw cannotList(action)
    return store
  }

  function cannotList(what: string): TypeError {
    const why = settings.cookieStore ? 'cookieStore() keeps each session in its own cookie' : 'the store has no index for it'
    return new TypeError(`sessions: this store cannot ${what}: ${why}; use fileStore(), redisStore(), mongoStore() or sqlStore()`)
  }
}

function unknownKeys(): SessionError {
  return new SessionError(
    'ERR_SESSION_KEYS',
    'sessions.read(request): there are no keys to verify the cookie with: give session() the option keys (app.keys is known only after the first request to the application)'
  )
}

function assertOwner(method: string, owner: unknown): void {
  assertOption(`sessions.${method}(owner)`, 'owner', owner, isOwner(owner), 'the id of the user, a string of 1 to 256 characters', kindOf)
}

function infoOf({ id, owner, created, used, expires, permanent, data }: SessionRecord): SessionInfo {
  const decoded = Object.fromEntries(Object.entries(data).map(([key, json]) => [key, decode(json)]))
  return { id, owner, createdAt: new Date(created), usedAt: new Date(used), expiresAt: new Date(expires), permanent, data: decoded }
}
