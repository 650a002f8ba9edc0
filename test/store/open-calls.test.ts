import { setImmediate } from 'node:timers/promises'
import test from 'ava'
import { OpenCalls } from '../../src/store/index.js'

const closedError = { code: 'ERR_SESSION_STORE', message: 'the test store is closed: make a new one to go on' }

test('close() resolves at once when no call is in progress', async (t) => {
  const calls = new OpenCalls('test')
  t.false(calls.closed)
  calls.assertOpen()
  await calls.close()
  t.true(calls.closed)
  t.throws(() => calls.assertOpen(), closedError)
  t.throws(() => calls.begin(), closedError)
})

test('close() refuses further calls and waits for those in progress', async (t) => {
  const calls = new OpenCalls('test')
  calls.begin()
  calls.begin()
  calls.begin()
  calls.end()
  let isDone = false
  const closing = calls.close().then(() => (isDone = true))
  t.throws(() => calls.begin(), closedError)
  for (let left = 2; left > 0; left--) {
    for (let turn = 0; turn < 3; turn++) await setImmediate()
    t.false(isDone, `${left} calls are in progress`)
    calls.end()
  }
  t.true(await closing)
})
