import type { Token } from '../cookie/index.js'
import { storeError } from '../errors.js'
import { emit } from '../events.js'
import type { SessionRecord } from '../record/index.js'
import { recover, whenDone, type MaybePromise } from '../store/index.js'
import { warnOnce } from '../warn-once.js'
import { endOf } from './lifetimes.js'
import type { RecordSource } from './record-source.js'
import type { RequestSession } from './request-session.js'

/** A token and the record that it opens: a live record, or a marker. */
interface Found {
  readonly token: Token
  /** The record as the request uses it. `undefined`: the token opens none. */
  readonly record: SessionRecord | undefined
  /** The record as it is stored. */
  readonly atRest: SessionRecord | undefined
}

/**
 * Opens the session that the request's verified cookies name, or else finds one of an earlier library. A sid without a live record is never
 * adopted.
 *
 * @param newestWins `true`: of two live sessions, the one that was created last is opened (`cookie.previous`). `false`: none is.
 */
export function openSession(session: RequestSession, tokens: readonly Token[], newestWins: boolean): MaybePromise<void> {
  if (tokens.length === 0 && !session.migration) return
  return recover<void>(
    // A client with a cookie of ours was moved already, or has logged in here: if that session has ended, no older one replaces it.
    () => (tokens.length === 0 ? session.migration?.find() : openStored(session, tokens, newestWins)),
    (error) => {
      if (session.rules.onStoreError === 'fail') throw error
      session.state = { kind: 'read-only', error: storeError('read a session', error) }
    }
  )
}

function openStored(session: RequestSession, tokens: readonly Token[], newestWins: boolean): MaybePromise<void> {
  return whenDone(chooseRecord(session, tokens, newestWins), (found) => adopt(session, found))
}

function adopt(session: RequestSession, found: Found | undefined): void {
  if (!found) return
  const { token, record, atRest } = found
  const { sid, id, stale } = token
  if (record?.moved) {
    session.state = { kind: 'moved' }
  } else if (record && atRest) {
    session.state = { kind: 'stored', sid, record, atRest, reissue: stale }
    emit({ type: 'load', id })
  } else {
    emit({ type: 'missing', id })
  }
}

/** Reads the records of verified cookies and returns the one to open. `undefined`: there is none. */
export function chooseRecord(source: RecordSource, tokens: readonly Token[], newestWins: boolean): MaybePromise<Found | undefined> {
  const [token] = tokens
  if (tokens.length > 1) return chooseOneOf(source, tokens, newestWins)
  return token && readOpen(source, token)
}

function readOpen({ rules, store, sealing }: RecordSource, token: Token): MaybePromise<Found> {
  return whenDone(store.read(token.id), (atRest) => {
    if (!atRest || atRest.moved) return { token, record: atRest, atRest }
    const isOpen = rules.now() < endOf(rules, atRest)
    return { token, record: isOpen ? sealing.open(atRest, token.sid) : undefined, atRest }
  })
}

/** Returns the one that is live: a browser sends several cookies of the name after the cookie's domain or path was changed. */
async function chooseOneOf(source: RecordSource, tokens: readonly Token[], newestWins: boolean): Promise<Found | undefined> {
  const all = await Promise.all(tokens.map(async (token) => readOpen(source, token)))
  const live = all.filter(({ record }) => record && !record.moved)
  if (live.length > 1 && !newestWins) {
    warnOnce(
      "a browser sent two session cookies of one name that are both valid, so neither is used: the cookie's domain or path was changed; " +
        'list the earlier ones in the option cookie.previous, for example [{ path: "/app" }]'
    )
    emit({ type: 'invalid-cookie', id: undefined, reason: 'ambiguous' })
    return undefined
  }
  const [newest] = live.toSorted((one, other) => other.record!.created - one.record!.created)
  return newest ?? all.find(({ record }) => record?.moved) ?? all[0]
}
