import test from 'ava'
import { planSave, type Step } from '../../src/request/plan.js'
import type { Situation } from '../../src/request/situation.js'

const usual: Situation = {
  state: 'stored', hasEnded: false, hasOld: false, hasChanges: false, hasData: false, isEmptied: false, failed: false, isDue: false, reissue: false,
  permanent: false, headersSent: false, carriesRecord: false
}
const nothing: Step = { kind: 'nothing' }

function planned(t: { deepEqual: (one: Step, other: Step) => void }, situation: Partial<Situation>, step: Step): void {
  t.deepEqual(planSave({ ...usual, ...situation }), step)
}

test('an untouched session needs nothing', (t) => {
  for (const state of ['new', 'stored', 'gone', 'moved', 'read-only'] as const) planned(t, { state }, nothing)
})

test('a new session with data is created, and one without data is not', (t) => {
  planned(t, { state: 'new', hasChanges: true, hasData: true }, { kind: 'create' })
  planned(t, { state: 'new', hasChanges: true }, nothing)
})

test('a session of an earlier library is moved, and ended when nothing is left of it', (t) => {
  const old = { state: 'new', hasOld: true } as const
  planned(t, { ...old, hasData: true }, { kind: 'move' })
  planned(t, { ...old, hasData: true, hasChanges: true }, { kind: 'create' })
  planned(t, { ...old, hasChanges: true }, { kind: 'end-old' })
  planned(t, { ...old, failed: true, isEmptied: true, hasChanges: true }, { kind: 'end-old' })
  planned(t, { ...old, failed: true, hasData: true, hasChanges: true }, nothing)
  planned(t, { ...old, headersSent: true, hasData: true }, nothing)
  planned(t, { ...old, headersSent: true, hasData: true, hasChanges: true }, { kind: 'drop', reason: 'headers-sent' })
})

test('a changed session is updated, whether or not its deadline is due', (t) => {
  for (const isDue of [true, false]) planned(t, { hasChanges: true, hasData: true, isDue }, { kind: 'update' })
})

test('an unchanged session is refreshed when its deadline or its cookie is due', (t) => {
  planned(t, { isDue: true }, { kind: 'refresh' })
  planned(t, { reissue: true }, { kind: 'refresh' })
})

test('changes to a session that is gone or has a new sid are dropped', (t) => {
  for (const state of ['gone', 'moved'] as const) {
    planned(t, { state, hasChanges: true, hasData: true }, { kind: 'drop', reason: state })
    planned(t, { state, hasChanges: true }, nothing)
  }
})

test('a session that was set to null is removed with any status of the response', (t) => {
  for (const failed of [true, false]) {
    for (const state of ['new', 'stored'] as const) planned(t, { state, hasEnded: true, failed, hasChanges: true, hasData: true }, { kind: 'remove' })
  }
})

test('a server error drops changes and still refreshes', (t) => {
  planned(t, { failed: true, hasChanges: true, hasData: true }, nothing)
  planned(t, { failed: true, hasChanges: true, isDue: true }, { kind: 'refresh' })
  planned(t, { state: 'new', failed: true, hasChanges: true, hasData: true }, nothing)
})

test('a server error does not undo clear(): what removes is carried out', (t) => {
  planned(t, { failed: true, isEmptied: true, hasChanges: true }, { kind: 'update' })
})

test('after the headers, nothing is stored that the client could not use', (t) => {
  const headersSent = true
  planned(t, { state: 'new', headersSent, hasChanges: true, hasData: true }, { kind: 'drop', reason: 'headers-sent' })
  planned(t, { headersSent, hasChanges: true }, { kind: 'update' })
  planned(t, { headersSent, hasChanges: true, carriesRecord: true }, { kind: 'drop', reason: 'headers-sent' })
  planned(t, { headersSent, isDue: true }, { kind: 'refresh' })
  planned(t, { headersSent, isDue: true, permanent: true }, nothing)
  planned(t, { headersSent, isDue: true, carriesRecord: true }, nothing)
  planned(t, { headersSent, reissue: true }, nothing)
})

test('a read-only session is never written', (t) => {
  planned(t, { state: 'read-only', hasChanges: true, hasData: true, hasEnded: true, isDue: true, reissue: true }, nothing)
})
