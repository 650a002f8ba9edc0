import test, { type ExecutionContext } from 'ava'
import type { Environment } from '../../demo/config.js'
import { deviceOf } from '../../demo/device.js'
import { openDemo } from '../support/demo-here.js'
import { Guest } from '../support/demo.js'
import { idOf } from '../support/events.js'

// One after the other: scrypt fills the thread pool, in which the file store's calls would wait beyond their time.
const demoTest = test.serial

const phone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1'
const laptop = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:125.0) Gecko/20100101 Firefox/125.0'

interface Demo {
  visit: () => Guest
  login: (name: string, userAgent?: string) => Promise<Guest>
}

async function open(t: ExecutionContext, more: Environment = {}): Promise<Demo> {
  const { origin } = await openDemo(t, more)
  return {
    visit: () => new Guest(origin),
    async login(name, userAgent) {
      const guest = new Guest(origin, userAgent)
      await guest.login({ name })
      return guest
    }
  }
}

/** The sessions of a list of the page: the words of each. */
async function listed(guest: Guest, label = 'Your sessions'): Promise<string[]> {
  const { text } = await guest.get('/devices')
  const list = text.split(`aria-label="${label}"`)[1]?.split('</ul>')[0] ?? ''
  return list.split('<li').slice(1).map((each) => `<li${each}`.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ').trim())
}

const isIn = async (guest: Guest) => (await guest.count()) !== undefined
const recordId = ({ client }: Guest) => idOf(client.cookie('session')!)

demoTest('the page shows where a user is logged in: browser and system, since when, and which one this is', async (t) => {
  const { login } = await open(t)
  const [first, second] = [await login('Momo', phone), await login('Momo', laptop)]
  await login('Lin', laptop)
  const shown = await listed(second)
  t.is(shown.length, 2)
  t.regex(shown[0]!, /^Firefox on Windows 10 This one First seen \d.* · last used just now Log out/)
  t.regex(shown[1]!, /^Safari on iOS First seen \d.* · last used just now Log out/)
  t.regex((await listed(first))[0]!, /^Safari on iOS This one/)
})

demoTest('a device is logged out from another one, and a user logs out everywhere else', async (t) => {
  const { login } = await open(t)
  const [first, second, third] = [await login('Momo', phone), await login('Momo', laptop), await login('Momo', laptop)]
  await second.get('/devices')
  t.is((await second.send('/devices/end', { id: recordId(first) })).status, 303)
  t.true((await second.get('/devices')).text.includes('Safari on iOS is logged out.'))
  t.deepEqual([await isIn(first), await isIn(second), await isIn(third)], [false, true, true])
  await second.send('/devices/end', { id: recordId(first) })
  t.true((await second.get('/devices')).text.includes('That session had ended already.'))

  await second.send('/devices/end-others')
  t.true((await second.get('/devices')).text.includes('You are logged out everywhere else: 1 session ended.'))
  t.deepEqual([await isIn(second), await isIn(third)], [true, false])
  await second.send('/devices/end-others')
  t.true((await second.get('/devices')).text.includes('You were logged in nowhere else.'))

  t.is((await second.send('/devices/end', { id: recordId(second) })).headers.location, '/?goodbye')
  t.false(await isIn(second))
})

demoTest('nobody ends the session of somebody else, or learns whether there is one', async (t) => {
  const { login, visit } = await open(t)
  const [victim, eve] = [await login('Momo', phone), await login('Eve', laptop)]
  const answers = []
  for (const id of [recordId(victim), 'f'.repeat(64)]) {
    await eve.get('/devices')
    const { status, headers } = await eve.send('/devices/end', { id })
    answers.push([status, headers.location, /role="status">.*?<\/div>/s.exec((await eve.get('/devices')).text)![0]])
  }
  t.deepEqual(answers[0], answers[1])
  for (const id of ['', 'x', '../../etc', 'F'.repeat(64)]) t.is((await eve.send('/devices/end', { id })).status, 400)
  await eve.send('/devices/end-others')
  t.true(await isIn(victim))

  const visitor = visit()
  t.is((await visitor.get('/devices')).headers.location, '/login')
  await visitor.get('/shop')
  for (const path of ['/devices/end', '/devices/end-others']) t.is((await visitor.send(path, { id: recordId(victim) })).headers.location, '/login')
  t.true(await isIn(victim))
  t.is((await eve.client.post('/devices/end-others', '', { headers: { 'content-type': 'application/x-www-form-urlencoded' } })).status, 403)
})

demoTest('an admin sees all sessions with their owners, and ends any', async (t) => {
  const { login, visit } = await open(t)
  const momo = await login('Momo <b>', phone)
  const visitor = visit()
  await visitor.get('/shop')
  const admin = await login('admin', laptop)
  const all = await listed(admin, 'The sessions of everybody')
  t.deepEqual(all.map((each) => each.replace(/ First seen.*/, '')).sort(), ['A visitor', 'Firefox on Windows 10 This one admin', 'Safari on iOS Momo &lt;b&gt;'])
  t.is((await listed(admin)).length, 1)
  for (const guest of [momo, visitor]) await admin.send('/devices/end', { id: recordId(guest) })
  t.false(await isIn(momo))
  t.is((await listed(admin, 'The sessions of everybody')).length, 1)
  t.deepEqual(await listed(await login('Admin'), 'The sessions of everybody'), [], 'another name')
})

demoTest('where sessions of a user cannot be listed, the page says so and shows this one', async (t) => {
  const { login } = await open(t, { SESSION_TYPE: 'cookie', SESSION_FILE_DIR: undefined })
  const guest = await login('admin', laptop)
  const { text } = await guest.get('/devices')
  t.true(text.includes('this storage cannot list the sessions of a user'))
  t.false(text.includes('/devices/end-others'))
  t.is((await listed(guest)).length, 1)
  t.is((await guest.send('/devices/end', { id: recordId(guest) })).headers.location, '/?goodbye')
  t.false(await isIn(guest))
})

for (const [userAgent, name] of [
  [phone, 'Safari on iOS'],
  [laptop, 'Firefox on Windows 10'],
  ['curl/8.0', 'Unknown browser'],
  ['', 'Unknown browser'],
  [undefined, 'Unknown browser'],
  ['<script>', 'Unknown browser'],
  ['x'.repeat(300), 'Unknown browser']
] as const) {
  test(`the user agent ${userAgent?.slice(0, 30)} is ${name}`, (t) => t.is(deviceOf(userAgent).name, name))
}
