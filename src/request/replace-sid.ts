import { emit } from '../events.js'
import { isSameVersion, type Data, type SessionRecord } from '../record/index.js'
import { graceAfterDeadline, recover, whenDone, type MaybePromise } from '../store/index.js'
import { applyChanges, type Changes } from './changes.js'
import { followMarker } from './follow-marker.js'
import { headersSentError } from './headers-sent-error.js'
import { newSession, type Facts } from './next-record.js'
import type { RequestSession } from './request-session.js'
import type { SessionState, StoredState } from './session-state.js'
import { updateRecord } from './update-record.js'

export interface LoginOptions {
  /** Whether the cookie outlives the browser. Absent: as before. */
  readonly permanent?: boolean | undefined
  /** The idle lifetime in milliseconds ("remember me"). Absent: as before. */
  readonly lifetime?: number | undefined
  /** The keys to keep of the data of an anonymous visitor or of the same owner. Absent: all. */
  readonly keep?: readonly string[] | undefined
}

export type Login = LoginOptions & { readonly owner: string }

/**
 * Gives the session a new sid: `regenerate()`, and with an owner `loginAs()`.
 *
 * 1. It creates the new record.
 * 2. It replaces the old record by a marker without data, for a minute.
 * 3. It carries over to the new record what other requests have committed to the old one meanwhile.
 * 4. It sends the cookie.
 *
 * A crash after step 1 leaves the old session whole, and a new record whose sid nobody knows. A crash after step 2 ends the session.
 */
export function replaceSid(session: RequestSession, login?: Login): MaybePromise<void> {
  const { state } = session
  // A late request must not replace the cookie of the request that replaced the sid.
  if (state.kind === 'read-only') return
  if (state.kind === 'moved') {
    emit({ type: 'dropped', id: undefined, reason: 'moved' })
    return
  }
  if (state.kind !== 'stored') {
    const anew: SessionState = { kind: 'new' }
    session.state = anew
    return login && recover(() => logInNewSession(session, login), (error) => fail(session, anew, error))
  }
  if (session.response.headersSent) throw headersSentError(login ? 'log in' : 'regenerate a session')
  return recover(
    () => replaceStored(session, state, login),
    (error) => fail(session, state, error)
  )
}

/** Even if the application ignores this error, the request fails: nothing may be saved under the old sid, or without the owner. */
function fail(session: RequestSession, state: SessionState, error: unknown): never {
  if (session.state === state && (state.kind === 'stored' || state.kind === 'new')) session.state = { ...state, failure: error }
  throw error
}

/** Creates a session for a login at once, even without data. */
function logInNewSession(session: RequestSession, login: Login): MaybePromise<void> {
  if (session.response.headersSent) throw headersSentError('log in')
  const save = session.beginSave()
  const old = session.migration?.dataFor(login.owner) ?? {}
  const created = newSession(session, keptOf(login, applyChanges(save.changes, old) ?? {}), login)
  return whenDone(session.store.create(created.atRest), () => {
    session.finishSave(save, created)
    emit({ type: 'create', id: created.record.id })
    emit({ type: 'login', id: created.record.id, from: undefined, owner: login.owner })
  })
}

async function replaceStored(session: RequestSession, old: StoredState, login: Login | undefined): Promise<void> {
  const { store } = session
  const save = session.beginSave()
  const { changes } = save
  const { record } = old
  const created = newSession(session, dataFor(record, login, changes), factsOf(session, record, login))
  await store.create(created.atRest)
  try {
    const replaced = await replaceByMarker(session, old, created.record.id)
    const complete = await carryOver(session, created, replaced, record, login, changes)
    if (complete === undefined) {
      await removeEmpty(session, old, created, replaced !== undefined, changes)
      return
    }
    session.finishSave(save, complete)
    const { id } = complete.record
    if (login) emit({ type: 'login', id, from: record.id, owner: login.owner })
    else emit({ type: 'regenerate', id, from: record.id })
  } catch (error) {
    // If this removal fails too, the new record expires by itself: nobody knows its sid.
    await recover<unknown>(() => store.destroy(created.record.id), () => undefined)
    throw error
  }
}

/**
 * Returns the record that the marker replaced. `undefined`: the session was gone. `'moved'`: another request has replaced the sid, and the
 * session is still live under it.
 */
async function replaceByMarker(session: RequestSession, old: StoredState, movedTo: string): Promise<SessionRecord | undefined | 'moved'> {
  const { store } = session
  const now = session.rules.now()
  let replaced: SessionRecord | undefined
  const marker = await updateRecord(session, 'regenerate a session', old, (current) => {
    replaced = current
    const { rev, write, id, created } = current
    return { rev, write, id, created, used: now, expires: now + graceAfterDeadline, permanent: false, moved: true, movedTo, data: {} }
  })
  if (marker !== 'moved') return marker ? replaced : undefined
  // The session may have been ended under its new sid: then nothing of it may come back.
  const other = await store.read(old.record.id)
  const live = other && (await followMarker(store, other))
  return live ? 'moved' : undefined
}

/**
 * Updates the new record to the data that follows from the last state of the old one. `undefined`: nothing is left to keep.
 *
 * @param created the new session, as it was stored first.
 * @param replaced the record that the marker replaced.
 * @param read the record that this request has read.
 */
async function carryOver(
  session: RequestSession,
  created: StoredState,
  replaced: SessionRecord | undefined | 'moved',
  read: SessionRecord,
  login: Login | undefined,
  changes: Changes
): Promise<StoredState | undefined> {
  // If another request gave the session a new sid, it did not end it: this request keeps the data that it has read.
  if (replaced === 'moved' || (replaced && isSameVersion(replaced, read))) return isEmpty(created.record) ? undefined : created
  // Of a session that was gone, neither data nor owner may come back. Only the changes of this request are kept.
  const data = replaced ? dataFor(replaced, login, changes) : keptOf(login, applyChanges(changes, {}) ?? {})
  const updated = await updateRecord(session, 'regenerate a session', created, ({ owner, ...current }) => {
    const keptOwner = replaced ? owner : undefined
    // This may exceed maxBytes. To refuse it would lose what the other request has committed.
    const next: SessionRecord = { ...current, ...keptFacts(session, replaced, login), ...withOwner(login?.owner ?? keptOwner), data }
    return isEmpty(next) ? null : next
  })
  return updated && updated !== 'moved' ? { ...created, ...updated } : undefined
}

/** Removes a new record of which nothing is left to keep: a session without data and without an owner is none. @param existed whether the old session still existed. */
async function removeEmpty(session: RequestSession, old: StoredState, created: StoredState, existed: boolean, changes: Changes): Promise<void> {
  await session.store.destroy(created.record.id)
  if (session.state === old) {
    session.state = { kind: 'new' }
    session.startAnew(changes)
  }
  if (!existed) return
  emit({ type: 'destroy', id: old.record.id })
  session.clearCookie()
}

function isEmpty({ owner, data }: SessionRecord): boolean {
  return owner === undefined && Object.keys(data).length === 0
}

/** The data of a stored record that the new one keeps, with this request's changes. Nothing of another owner is kept. */
function dataFor(record: SessionRecord, login: Login | undefined, changes: Changes): Data {
  const keepsData = !login || record.owner === undefined || record.owner === login.owner
  return keptOf(login, applyChanges(changes, keepsData ? record.data : {}) ?? {})
}

/** The data that a login keeps: only the keys in its option `keep`, if it has one. */
function keptOf(login: Login | undefined, data: Data): Data {
  const { keep } = login ?? {}
  return keep ? Object.fromEntries(Object.entries(data).filter(([key]) => keep.includes(key))) : data
}

/** The facts that the new record takes over from the old one. */
function factsOf(session: RequestSession, { created, owner, lifetime }: SessionRecord, login: Login | undefined): Facts {
  const kept = { permanent: session.permanent, lifetime: session.assigned.lifetime ?? lifetime }
  // regenerate() continues the session, so its maximum age must not start again. A login begins a new session.
  if (!login) return { ...kept, created, owner }
  return { owner: login.owner, permanent: login.permanent ?? kept.permanent, lifetime: login.lifetime ?? kept.lifetime }
}

/** Returns the facts that another request has set meanwhile, without those that this request or its login set too. */
function keptFacts({ assigned }: RequestSession, replaced: SessionRecord | undefined, login: Login | undefined): Partial<SessionRecord> {
  if (!replaced) return {}
  const { permanent, lifetime } = replaced
  return {
    ...(assigned.permanent === undefined && login?.permanent === undefined && { permanent }),
    ...(assigned.lifetime === undefined && login?.lifetime === undefined && lifetime !== undefined && { lifetime, expires: replaced.expires })
  }
}

function withOwner(owner: string | undefined): { owner?: string } {
  return owner === undefined ? {} : { owner }
}
