import { readFile } from 'node:fs/promises'
import test from 'ava'
import { draw } from '../../demo/race/drawing.js'
import { KeptRuns } from '../../demo/race/kept-runs.js'
import { OneAtATime } from '../../demo/race/one-at-a-time.js'
import { openDemo } from '../support/demo-here.js'
import { Guest, startDemo, makeDirectory } from '../support/demo.js'
import { createGate } from '../support/gate.js'

// A run keeps a processor busy: one after the other.
const raceTest = test.serial

const words = (html: string) => html.replaceAll(/<[^>]+>/g, ' ').replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll(/\s+/g, ' ')

/** The timelines of a page, in its order: keys, logout and counts, each through koa-session and koa-keepsake. */
function timelinesIn(html: string): { bars: number; lost: number; verdict: string; left: string }[] {
  return html.split('<div class="side">').slice(1).map((side) => ({
    bars: side.match(/<rect /g)?.length ?? 0,
    lost: side.match(/<g class="lost">/g)?.length ?? 0,
    verdict: words(/<p class="verdict[^>]*>(.*?)<\/p>/s.exec(side)![1]!).trim(),
    left: words(/<code class="json">(.*?)<\/code>/s.exec(side)![1]!).replaceAll(/\s/g, '')
  }))
}

raceTest('the button sends the traffic, and the page shows what was lost and what is left', async (t) => {
  const { origin } = await openDemo(t)
  const guest = new Guest(origin)
  await guest.get('/race')
  const { status, headers } = await guest.send('/race', { parallel: '5', delay: '10' })
  t.is(status, 303)
  t.regex(String(headers.location), /^\/race\?run=[\w-]{8}#result$/)
  const { text } = await guest.get(String(headers.location))
  const [keysOfKoaSession, keys, koaSessionLogout, logout, koaSessionCounts, counts] = timelinesIn(text)
  t.deepEqual(keys, { bars: 5, lost: 0, verdict: 'All 5 kept', left: '{"user":"Momo","cart":1,"theme":2,"language":3,"address":4,"coupon":5}' })
  t.is(keysOfKoaSession!.verdict, `${keysOfKoaSession!.lost} of 5 lost`)
  t.is(Object.keys(JSON.parse(keysOfKoaSession!.left) as object).length, 1 + 5 - keysOfKoaSession!.lost)
  t.deepEqual(logout, { bars: 3, lost: 0, verdict: 'Logged out for good', left: '{}' })
  t.like(koaSessionLogout, { bars: 3, lost: 2, verdict: 'Logout undone', left: '{"user":"Momo","upload":30}' })
  t.deepEqual(counts, { bars: 100, lost: 0, verdict: 'All 100 counted', left: '{"user":"Momo","count":100}' })
  t.is(koaSessionCounts!.verdict, `${koaSessionCounts!.lost} of 100 lost`)
  t.is(koaSessionCounts!.left, `{"user":"Momo","count":${100 - koaSessionCounts!.lost}}`)
  t.regex(words(text), /Copied before the login, used after it Momo's account nothing nothing/)
  t.regex(text, /name="parallel"[^>]* value="5"/)
})

raceTest('a run can be looked at by anybody who has its address, and a run that is no longer kept says so', async (t) => {
  const { origin } = await openDemo(t)
  const guest = new Guest(origin)
  await guest.get('/race')
  const { headers } = await guest.send('/race', { parallel: '20', delay: '0' })
  t.is(timelinesIn((await new Guest(origin).get(String(headers.location))).text).length, 6)
  for (const name of ['gone', '', 'a&run=b']) {
    const { status, text } = await guest.get(`/race?run=${name}`)
    t.is(status, 200)
    t.true(text.includes('That race is no longer kept.'))
  }
})

raceTest('numbers outside the limits of the sliders are refused with 400, and a form without a token with 403', async (t) => {
  const { origin } = await openDemo(t)
  const guest = new Guest(origin)
  await guest.get('/race')
  for (const [parallel, delay] of [['3', '0'], ['21', '0'], ['8', '101'], ['8', '-1'], ['8', ''], ['', '40'], ['1e1', '40'], ['8.5', '40'], ['999999999999', '40'], ['NaN', '40']]) {
    t.is((await guest.send('/race', { parallel: parallel!, delay: delay! })).status, 400, `${parallel}, ${delay}`)
  }
  t.is((await guest.send('/race', { parallel: '8', delay: '40', _csrf: 'guess' })).status, 403)
})

raceTest('races are run one at a time; more visitors than may wait are asked to come back', async (t) => {
  const { origin } = await openDemo(t)
  const guests = Array.from({ length: 6 }, () => new Guest(origin))
  await Promise.all(guests.map((guest) => guest.get('/race')))
  const answers = await Promise.all(guests.map((guest) => guest.send('/race', { parallel: '20', delay: '0' })))
  const statuses = answers.map(({ status }) => status)
  t.deepEqual(statuses.toSorted((one, other) => one - other), [303, 303, 303, 303, 429, 429])
  t.true(answers[statuses.indexOf(429)]!.text.includes('Others are racing'))
})

test('one job runs at a time, in order, and a job that fails does not stop the next', async (t) => {
  const turns = new OneAtATime(2)
  const gate = createGate()
  const log: string[] = []
  const first = turns.run(async () => {
    await gate.pass()
    log.push('first')
    throw new Error('first')
  })
  const second = turns.run(async () => log.push('second'))
  const third = turns.run(async () => log.push('third'))
  t.is(turns.run(async () => log.push('fourth')), undefined)
  t.deepEqual(log, [])
  gate.open()
  await t.throwsAsync(first!, { message: 'first' })
  await Promise.all([second, third])
  t.deepEqual(log, ['first', 'second', 'third'])
  t.is(await turns.run(async () => 'again'), 'again')
})

test('when there are too many runs, the oldest is removed first', (t) => {
  const runs = new KeptRuns()
  const run = { settings: { parallel: 4, delay: 0 }, results: [] }
  const names = Array.from({ length: 51 }, () => runs.keep(run))
  t.deepEqual(names.map((name) => runs.find(name) === run), [false, ...Array<boolean>(50).fill(true)])
  for (const name of [undefined, ['a', 'b'], 'toString']) t.is(runs.find(name), undefined)
})

test('a bar begins a new row only if no row is free, and no bar leaves the drawing', (t) => {
  const bars = [[0, 10], [2, 5], [5, 20], [12, 20]].map(([from, to]) => ({ label: '', from: from!, to: to!, fate: 'kept' as const }))
  const { bars: drawn, height, floor } = draw(bars, 20, { row: 16, bar: 10 })
  t.deepEqual(drawn.map(({ y }) => Math.floor(y / 16)), [0, 1, 1, 0])
  t.true(drawn.every(({ x, width, y, height: tall }) => x >= 0 && x + width <= 100 && y + tall <= floor && floor < height))
})

test('no label of a bar leaves the drawing, wherever the bar is', (t) => {
  for (const label of ['logout', 'the old cookie opens the session', 'slow upload: dropped with its session']) {
    for (let from = 0; from <= 100; from += 5) {
      const { x, anchor } = draw([{ label, from, to: Math.min(100, from + 3), fate: 'kept' }], 100, { row: 42, bar: 12, labelled: true }).bars[0]!.text
      // A character is 2.5 percent of the drawing on a phone.
      const [start, end] = anchor === 'start' ? [x, x + label.length * 2.5] : [x - label.length * 2.5, x]
      t.true(start >= 0 && end <= 100, `${label} at ${from}`)
    }
  }
})

test('the lines of code on the page are in the handlers', async (t) => {
  const view = await readFile(new URL('../../demo/views/race.eta', import.meta.url), 'utf8')
  const source = (await Promise.all(['handlers', 'library'].map((name) => readFile(new URL(`../../demo/race/${name}.ts`, import.meta.url), 'utf8')))).join('')
  const [, inOne, inOther] = /pair\(run\.counts, \['(.*?)', "(.*?)"\]\)/.exec(view)!
  const lines = [inOne!, inOther!, ...Array.from(view.matchAll(/In both: <code>(.*?)<\/code>/g), ([, code]) => code!)]
  t.is(lines.length, 4)
  for (const line of lines) t.true(source.includes(line), line)
})

raceTest('SIGTERM during a race ends the started demo and the applications of the race', async (t) => {
  const demo = await startDemo(t, { SESSION_TYPE: 'memory', SECRET_KEY: 'x'.repeat(43), HOME: await makeDirectory(t) })
  const guest = new Guest(demo.origin)
  await guest.get('/race')
  // The response may take longer than the demo waits for it, on a slow machine.
  const racing = guest.send('/race', { parallel: '20', delay: '20' }).catch(() => undefined)
  // A wrong token is refused at once: by then the race, sent before, is with the server.
  t.is((await new Guest(demo.origin).send('/race')).status, 403)
  demo.signal('SIGTERM')
  await racing
  t.like(await demo.ended, { code: 0, stderr: '' })
})
