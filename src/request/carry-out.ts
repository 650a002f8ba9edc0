import { SessionError } from '../errors.js'
import { emit } from '../events.js'
import { decode, type SessionRecord } from '../record/index.js'
import { recover, whenDone, type MaybePromise } from '../store/index.js'
import { warnOnce } from '../warn-once.js'
import { applyChanges, type Changes } from './changes.js'
import { headersSentError } from './headers-sent-error.js'
import { deadlineOf, isDue } from './lifetimes.js'
import type { FoundSession } from './found-session.js'
import { newSession, nextRecord } from './next-record.js'
import type { Step } from './plan.js'
import { removeSession } from './remove-session.js'
import type { RequestSession } from './request-session.js'
import type { StoredState } from './session-state.js'
import { Taking } from './taking.js'
import { updateRecord } from './update-record.js'

/** Carries out a planned step. Returns `false` if it dropped changes of the request. */
export function carryOut(session: RequestSession, step: Step): MaybePromise<boolean> {
  switch (step.kind) {
    case 'nothing':
      return true
    case 'drop':
      emit({ type: 'dropped', id: session.stored?.record.id, reason: step.reason })
      return false
    case 'create':
      return create(session)
    case 'move':
      return move(session)
    case 'end-old':
      session.endOld()
      return whenDone(session.migration!.whenEnded(), () => true)
    case 'update':
      return update(session, session.stored!)
    case 'refresh':
      return whenDone(refresh(session, session.stored!), () => true)
    case 'remove':
      return whenDone(removeSession(session, session.ended!), () => true)
  }
}

function create(session: RequestSession): MaybePromise<boolean> {
  const { migration } = session
  const { found } = migration ?? {}
  if (!migration || !found) {
    return whenDone(createFrom(session, undefined), () => {
      // Clear old cookies that the client may have: they name no session.
      migration?.end({ isLogout: false })
      return true
    })
  }
  return whenDone(migration.isStillThere(found), (isThere) => {
    if (!isThere) return dropOld(session)
    return whenDone(createFrom(session, found), () => {
      migration.noteMoved()
      return true
    })
  })
}

/** Gives up an old session that another request has ended, for example by a logout: stores nothing of it, and sends and clears no cookie. */
function dropOld(session: RequestSession): false {
  if (session.changes().size > 0) emit({ type: 'dropped', id: undefined, reason: 'gone' })
  session.migration!.found = undefined
  session.state = { kind: 'gone' }
  session.startAnew()
  return false
}

/** @param found the session of an earlier library with whose data the new session begins. */
function createFrom(session: RequestSession, found: FoundSession | undefined): MaybePromise<void> {
  const save = session.beginSave()
  const created = newSession(session, applyChanges(save.changes, found?.data ?? {}) ?? {}, { owner: found?.owner })
  const { id } = created.record
  return whenDone(session.store.create(created.atRest), () => {
    session.finishSave(save, created)
    emit({ type: 'create', id })
    if (found) emit({ type: 'migrate', id, bridge: found.from.bridge.name })
  })
}

/** Creates the session only because the client has one of an earlier library. A failure does not fail the request: the next one tries again. */
function move(session: RequestSession): MaybePromise<boolean> {
  const { name } = session.migration!.found!.from.bridge
  return recover(
    () => create(session),
    (error) => {
      if (error instanceof SessionError && error.code === 'ERR_SESSION_TOO_LARGE') {
        warnOnce(`the bridge "${name}" found a session that is too large for its store, and its user is logged out when the bridge ends; use convert to make it smaller`)
      }
      return true
    }
  )
}

/** Applies the request's changes, key by key, to the newest record. Returns `false` if the session is gone. */
function update(session: RequestSession, stored: StoredState, take?: Taking): MaybePromise<boolean> {
  const save = session.beginSave()
  const { assigned, changes } = save
  const { id } = stored.record
  const now = session.rules.now()
  const written = updateRecord(session, 'save a session', stored, (current) => {
    let data = applyChanges(changes, current.data)
    if (take) data = take.takeFrom(data)
    // The owner is enough to keep a session, unless the application cleared it.
    if (data === null && (current.owner === undefined || assigned.cleared === true)) return null
    return nextRecord(session, current, data ?? {}, now)
  })
  return whenDone(written, (updated) => {
    if (updated === undefined || updated === 'moved') return drop(session, stored, updated === 'moved' ? 'moved' : 'gone', changes)
    const saved = take ? take.addTo(changes) : changes
    if (updated === null) {
      emit({ type: 'destroy', id })
      if (session.state === stored) {
        session.state = { kind: 'new' }
        session.startAnew(saved)
      }
      session.clearCookie()
      return true
    }
    session.finishSave({ ...save, changes: saved }, { ...stored, ...updated, reissue: false }, needsCookie(session, stored, updated.record))
    emit({ type: 'save', id })
    return true
  })
}

/** Removes a key, saves at once and returns its value. Of parallel requests, exactly one gets the value. */
export function takeKey(session: RequestSession, key: string): MaybePromise<unknown> {
  const { stored, tracker } = session
  if (stored?.failure !== undefined) throw stored.failure
  if (!stored) {
    const value = tracker.get(key)
    tracker.delete(key)
    return value
  }
  if (session.carrier && session.response.headersSent) throw headersSentError('take a value')
  const taking = new Taking(key)
  return whenDone(update(session, stored, taking), (isSaved) => {
    tracker.delete(key)
    return isSaved && taking.value !== undefined ? decode(taking.value) : undefined
  })
}

/** Moves the deadline and sends the cookie again, each if it is due. A failure is published as an event and does not fail the request. */
function refresh(session: RequestSession, stored: StoredState): MaybePromise<unknown> {
  const { rules } = session
  const { sid } = stored
  const now = rules.now()
  return recover<unknown>(
    () =>
      whenDone(
        updateRecord(session, 'refresh a session', stored, (current) => {
          if (!isDue(rules, current, now)) return current
          return { ...current, used: now, expires: deadlineOf(rules, current.created, current.lifetime, now) }
        }),
        (updated) => {
          if (updated === undefined || updated === 'moved') return drop(session, stored, updated === 'moved' ? 'moved' : 'gone')
          if (!updated) return undefined
          const { record } = updated
          emit({ type: 'refresh', id: record.id })
          if (session.state !== stored) return undefined
          session.state = { kind: 'stored', sid, ...updated, reissue: false }
          if (needsCookie(session, stored, record)) session.sendCookie({ sid, record })
          return undefined
        }
      ),
    () => undefined
  )
}

/** Drops the changes of this request, because another one ended the session. Sends and clears no cookie. */
function drop(session: RequestSession, stored: StoredState, reason: 'gone' | 'moved', changes?: Changes): false {
  emit({ type: 'dropped', id: stored.record.id, reason })
  if (session.state === stored) {
    session.state = { kind: reason }
    session.startAnew(changes)
  }
  return false
}

/** Reports whether a save must send the cookie, because it carries the record, must be sent again, or has another expiry. */
function needsCookie({ carrier }: RequestSession, { record: seen, reissue }: StoredState, record: SessionRecord): boolean {
  return carrier !== undefined || reissue || seen.permanent !== record.permanent || (record.permanent && seen.expires !== record.expires)
}
