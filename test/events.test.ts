import { execFile } from 'node:child_process'
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { promisify } from 'node:util'
import test from 'ava'
import { channelName, emit, type SessionEvent } from '../src/events.js'
import { runTypeScript } from './support/typescript/option.js'

const event: SessionEvent = { type: 'load', id: 'a'.repeat(64) }

/** Runs a script beside this file in a process of its own; rejects when the process fails. */
async function runScript(script: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [runTypeScript, '--input-type=module', '-e', script], {
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

test('a subscriber that throws is an uncaught exception, as on any other channel, and changes nothing for the emitter', async (t) => {
  const out = await runScript(`
    import { subscribe } from 'node:diagnostics_channel'
    import { emit } from '../src/events.ts'
    process.on('uncaughtException', (error) => console.log('uncaught', error.message))
    let others = 0
    subscribe('${channelName}', () => { throw new Error('the logger is broken') })
    subscribe('${channelName}', () => void others++)
    emit({ type: 'load', id: 'x' })
    console.log('emitted', others)
  `)
  t.is(out.trim(), 'emitted 1\nuncaught the logger is broken')
})
