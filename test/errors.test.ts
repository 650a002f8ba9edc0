import test from 'ava'
import { conflictError, SessionError, storeError, type SessionErrorCode } from '../src/errors.js'

const codes: readonly [SessionErrorCode, number][] = [
  ['ERR_SESSION_STORE', 503],
  ['ERR_SESSION_TIMEOUT', 503],
  ['ERR_SESSION_CONFLICT', 503],
  ['ERR_SESSION_VALUE', 500],
  ['ERR_SESSION_TOO_LARGE', 500],
  ['ERR_SESSION_KEYS', 500],
  ['ERR_SESSION_HEADERS_SENT', 500]
]
for (const [code, status] of codes) {
  test(`${code} makes Koa answer ${status} without the message`, (t) => {
    const error = new SessionError(code, 'what went wrong')
    t.true(error instanceof Error)
    t.like(error, { name: 'SessionError', message: 'what went wrong', code, status, expose: false })
    t.true(error.stack?.startsWith('SessionError: what went wrong') || error.stack?.startsWith('Error: what went wrong'))
  })
}

test("a failure of the store says what was tried and keeps the backend's own error as cause", (t) => {
  const cause = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  const error = storeError('update a record', cause)
  t.like(error, { code: 'ERR_SESSION_STORE', status: 503, expose: false })
  t.is(error.message, 'the session store failed to update a record: no space left on device')
  t.is(error.cause, cause)
})

const messageOf = (advice?: string) => storeError('read a record', new Error('ECONNREFUSED'), advice, 'Redis at localhost:6379').message

test('a failure of the store names the backend once', (t) => {
  t.is(messageOf(), 'the session store (Redis at localhost:6379) failed to read a record: ECONNREFUSED')
  t.is(messageOf('cannot reach Redis at localhost:6379'), 'the session store failed to read a record: ECONNREFUSED: cannot reach Redis at localhost:6379')
})

test('a SessionError is returned as it is', (t) => {
  const error = new SessionError('ERR_SESSION_TIMEOUT', 'too slow')
  t.is(storeError('read a record', error), error)
})

test('any thrown value becomes a SessionError', (t) => {
  for (const cause of ['text', undefined, null, 0, Symbol('s'), {}, Object.create(null)] as unknown[]) {
    const error = storeError('read a record', cause)
    t.is(error.code, 'ERR_SESSION_STORE')
    t.is(error.cause, cause)
  }
})

test('an error whose message is not text, or cannot be read, is described', (t) => {
  const strange = Object.assign(new Error('x'), { message: Symbol('x') })
  const hostile = Object.defineProperty(new Error('x'), 'message', {
    get() {
      throw new Error('no')
    }
  })
  t.regex(storeError('read a session', strange).message, /: it threw an error whose message is a symbol$/)
  t.regex(storeError('read a session', hostile).message, /: it threw an error whose message cannot be read$/)
})

test('ids and sids that a driver quotes are masked', (t) => {
  const id = 'a'.repeat(64)
  const sid = 'Zz09_-'.repeat(8).slice(0, 43)
  const { message } = storeError('read a record', new Error(`open '/var/sessions/session%3A${id}.json', cookie ${sid}`))
  t.false(message.includes(id) || message.includes(sid))
  t.is(message, "the session store failed to read a record: open '/var/sessions/session%….json', cookie …")
})

test('a conflict says how often it was tried and what helps', (t) => {
  t.like(conflictError(12), {
    code: 'ERR_SESSION_CONFLICT',
    message: 'other requests changed the session during each of 12 tries to save it: send fewer parallel writes to one session'
  })
})
