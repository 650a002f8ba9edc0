import { execFile } from 'node:child_process'
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { promisify } from 'node:util'
import test from 'ava'
import { channelName, emit, type SessionEvent } from '../src/events.js'

const event: SessionEvent = { type: 'load', id: 'a'.repeat(64) }

function broken(): never {
  throw new Error('the logger is broken')
}

/** Runs a script beside this file in a process of its own; rejects when the process fails. */
async function runScript(script: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import=tsx', '--input-type=module', '-e', script], {
    cwd: import.meta.dirname
  })
  return stdout
}

test.serial('without a subscriber nothing is published', (t) => {
  t.false(channel(channelName).hasSubscribers)
  t.notThrows(() => emit(event))
})

test.serial('every subscriber gets the event and the name of the channel', (t) => {
  const got: unknown[] = []
  const one = (message: unknown, name: unknown) => void got.push([1, message, name])
  const two = (message: unknown) => void got.push([2, message])
  subscribe(channelName, one)
  channel(channelName).subscribe(two)
  emit(event)
  t.deepEqual(got, [[1, event, channelName], [2, event]])
  t.true(unsubscribe(channelName, one))
  t.true(channel(channelName).unsubscribe(two))
})

test.serial('a subscriber that has unsubscribed gets nothing, and can come again', (t) => {
  let count = 0
  const listen = () => void count++
  for (let round = 1; round <= 3; round++) {
    subscribe(channelName, listen)
    emit(event)
    t.is(count, round)
    t.true(unsubscribe(channelName, listen))
    t.false(channel(channelName).hasSubscribers)
    emit(event)
    t.is(count, round)
  }
  t.false(unsubscribe(channelName, listen))
  t.false(unsubscribe(channelName, () => undefined))
})

test.serial('a subscriber that throws changes nothing for the emitter nor for other subscribers, and is warned about', async (t) => {
  const got: unknown[] = []
  const sound = (message: unknown) => void got.push(message)
  subscribe(channelName, broken)
  subscribe(channelName, sound)
  t.teardown(() => {
    unsubscribe(channelName, broken)
    unsubscribe(channelName, sound)
  })
  const warned = once(process, 'warning')
  t.notThrows(() => emit(event))
  t.deepEqual(got, [event])
  const [warning] = (await warned) as [Error]
  t.is(warning.name, 'SessionWarning')
  t.is(warning.message, `a subscriber of ${channelName} threw: the logger is broken`)
})

test('a process outlives subscribers that throw, whether they came before or after the package', async (t) => {
  const out = await runScript(`
    import { subscribe, unsubscribe } from 'node:diagnostics_channel'
    let early = 0, late = 0
    const first = () => { early++; throw new Error('early') }
    subscribe('${channelName}', first)
    const { emit } = await import('../src/events.ts')
    subscribe('${channelName}', () => { late++; throw Object.create(null) })
    emit({ type: 'load', id: 'x' })
    await new Promise((done) => setTimeout(done, 20))
    unsubscribe('${channelName}', first)
    emit({ type: 'load', id: 'x' })
    await new Promise((done) => setTimeout(done, 20))
    console.log(early, late)
  `)
  t.is(out.trim(), '1 2')
})
