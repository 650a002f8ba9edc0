import test from 'ava'
import { graceAfterDeadline, isGone, isListed, isLive } from '../../src/store/index.js'
import { newRecord } from './new-record.js'

const record = newRecord({ expires: 1000, owner: 'momo' })
const marker = newRecord({ expires: 1000, owner: 'momo', moved: true })

for (const [now, live, gone, markerGone] of [
  [0, true, false, false],
  [999, true, false, false],
  [1000, false, false, true],
  [1000 + graceAfterDeadline - 1, false, false, true],
  [1000 + graceAfterDeadline, false, true, true]
] as const) {
  test(`at ${now} a session with the deadline 1000 is ${live ? 'live' : 'not live'} and ${gone ? 'gone' : 'not gone'}`, (t) => {
    t.is(isLive(record, now), live)
    t.is(isGone(record, now), gone)
    t.is(isListed(record, now), live)
  })
  test(`at ${now} a marker with the deadline 1000 is ${live ? 'live' : 'not live'} and ${markerGone ? 'gone' : 'not gone'}, and never listed`, (t) => {
    t.is(isLive(marker, now), live)
    t.is(isGone(marker, now), markerGone)
    t.false(isListed(marker, now))
  })
}

test('a listing of an owner compares the owner exactly', (t) => {
  t.true(isListed(record, 0, 'momo'))
  for (const owner of ['', 'Momo', 'mom', 'momo ', '*']) t.false(isListed(record, 0, owner), owner)
  t.false(isListed(newRecord({ expires: 1000 }), 0, ''))
})
