import type { TestFn } from 'ava'
import { Client, type Answer } from '../support/client.js'
import type { Fleet } from '../support/fleet.js'

/**
 * The races of one session, on any store: the promises of the README that must be true in any order of events. Gates make handlers slow, so that
 * the order is the critical one. Tests without such an order run many times.
 */
export function races(test: TestFn, name: string, makeFleet: () => Promise<Fleet>): void {
  let fleet: Fleet
  let made = 0
  test.before(async () => {
    fleet = await makeFleet()
  })
  test.after.always(async () => {
    await fleet?.close()
  })

  /** A browser with a session and one tab for each server, and functions that hold requests and release them. */
  async function open(data = 'key=user&value=momo') {
    const origins = fleet.origins
    const browser = new Client(origins[0]!)
    const tab = (n: number) => browser.at(origins[n % origins.length]!)
    const stolen = () => browser.copy()
    const { status } = await browser.get(`/set?${data}`)
    if (status !== 204) throw new Error(`the session was not made: ${status}`)
    const held = async (path: string, at = 0) => {
      const gate = `gate-${process.pid}-${made++}`
      const server = new Client(origins[at % origins.length]!)
      // With the cookies of this moment, even if the browser gets others meanwhile.
      const tabThen = stolen().at(server.origin)
      const answer = tabThen.get(`${path}${path.includes('?') ? '&' : '?'}gate=${gate}`)
      await server.get(`/_reached?gate=${gate}`)
      return { client: tabThen, answer, release: () => server.get(`/_open?gate=${gate}`).then(() => answer) }
    }
    return { browser, tab, stolen, held }
  }
  test(`${name}: a slow reader whose refresh is due writes nothing back over a writer's change`, async (t) => {
    const { browser, tab, held } = await open()
    const reader = await held('/get', 1)
    await tab(2).get('/set?key=user&value=lin')
    await tab(3).get('/set?key=cart&value=tea')
    t.is((await reader.release()).status, 200)
    t.deepEqual(await dataOf(browser), { user: 'lin', cart: 'tea' })
  })

  for (const slow of ['/set?key=late&value=1', '/set-late?key=late&value=1', '/change', '/push?key=list&value=1', '/get', '/empty']) {
    test(`${name}: a logged-out session stays logged out when a slow ${slow} saves`, async (t) => {
      const { tab, stolen, held } = await open()
      const thief = stolen()
      const writer = await held(slow, 1)
      t.is((await tab(2).get('/logout')).status, 204)
      const answer = await writer.release()
      t.true(answer.status < 300)
      t.deepEqual(answer.setCookie, [], 'no cookie is sent or cleared')
      t.deepEqual(await dataOf(thief), {})
    })

    test(`${name}: an old sid stays dead after regenerate() when a slow ${slow} saves to it`, async (t) => {
      const { browser, tab, stolen, held } = await open()
      const thief = stolen()
      const writer = await held(slow, 1)
      t.is((await tab(2).get('/login?user=lin')).status, 204)
      const answer = await writer.release()
      t.true(answer.status < 300)
      t.deepEqual(answer.setCookie, [], 'no cookie is sent or cleared')
      t.deepEqual(await dataOf(thief), {})
      t.deepEqual(await dataOf(browser), { user: 'lin' })
    })
  }

  test(`${name}: the changes of two slow writers to different keys are both kept, in any order`, async (t) => {
    for (const order of [[0, 1], [1, 0]]) {
      const { browser, held } = await open()
      const writers = [await held('/set?key=left&value=1', 1), await held('/push?key=right&value=2', 2)]
      for (const at of order) t.is((await writers[at]!.release()).status, 204)
      t.deepEqual(await dataOf(browser), { user: 'momo', left: '1', right: ['2'] })
    }
  })

  test(`${name}: a key that is set while a slow request empties the session survives`, async (t) => {
    const { browser, tab, held } = await open()
    const emptying = await held('/empty', 1)
    await tab(2).get('/set?key=flash&value=hi')
    t.deepEqual((await emptying.release()).setCookie.filter((line) => line.startsWith('session=;')), [])
    t.deepEqual(await dataOf(browser), { flash: 'hi' })
  })

  test(`${name}: N parallel requests that each set a key of their own keep all N keys`, async (t) => {
    const { browser, tab } = await open()
    const keys = Array.from({ length: 40 }, (_, n) => `key${n}`)
    const answers = await Promise.all(keys.map((key, n) => tab(n).get(`/set?key=${key}&value=${n}`)))
    for (const { status } of answers) t.is(status, 204)
    t.deepEqual(await dataOf(browser), { user: 'momo', ...Object.fromEntries(keys.map((key, n) => [key, String(n)])) })
  })

  test(`${name}: N requests that all read before the first of them saves keep all N keys too`, async (t) => {
    const { browser, held } = await open()
    const writers = await Promise.all(Array.from({ length: 12 }, (_, n) => held(`/set?key=key${n}&value=${n}`, n)))
    for (const { status } of await Promise.all(writers.map(({ release }) => release()))) t.is(status, 204)
    t.is(Object.keys(await dataOf(browser)).length, 13)
  })

  test(`${name}: 200 parallel change() sum up exactly`, async (t) => {
    const { browser, tab } = await open()
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => tab(n).get('/change')))
    t.deepEqual(statuses(answers), { 204: 200 })
    t.is((await dataOf(browser))['count'], 200)
  })

  test(`${name}: after a logout in the midst of writers, later requests have an empty session`, async (t) => {
    for (let round = 0; round < 5; round++) {
      const { tab, stolen } = await open()
      const thief = stolen()
      const writers = Array.from({ length: 16 }, (_, n) => stolen().at(tab(n).origin))
      const paths = writers.map((_, n) => (n === 4 + round ? '/logout' : n % 2 === 0 ? '/change' : `/set?key=key${n}&value=1`))
      const answers = await Promise.all(writers.map((writer, n) => writer.get(paths[n]!)))
      t.deepEqual(statuses(answers), { 204: 16 })
      t.deepEqual(await dataOf(thief), {})
      for (const [n, writer] of writers.entries()) {
        if (paths[n] === '/logout') continue
        t.truthy(writer.cookie('session'), 'only the logout clears the cookie')
        if (writer.cookie('session') !== thief.cookie('session')) t.is(Object.keys(await dataOf(writer)).length, 1)
      }
    }
  })

  test(`${name}: two parallel logins on one session end with two sids, each with its own user, and the old sid opens nothing`, async (t) => {
    for (const path of ['/login', '/login-early']) {
      const { stolen, held } = await open('key=cart&value=tea')
      const thief = stolen()
      const logins = [await held(`${path}?user=momo`, 1), await held(`${path}?user=lin`, 2)]
      const answers = await Promise.all(logins.map(({ release }) => release()))
      t.deepEqual(statuses(answers), { 204: 2 })
      const [one, two] = logins.map(({ client }) => client)
      t.not(one!.cookie('session'), two!.cookie('session'))
      t.is((await dataOf(one!))['user'], 'momo')
      t.is((await dataOf(two!))['user'], 'lin')
      t.deepEqual(await dataOf(thief), {})
    }
  })

  test(`${name}: after a parallel login and logout, the old sid opens nothing, and a login that came later keeps nothing of the old data`, async (t) => {
    for (let round = 0; round < 6; round++) {
      const { stolen, held } = await open('key=secret&value=old')
      const thief = stolen()
      const login = await held('/login?user=lin', 1)
      const logout = await held('/logout', 2)
      const first = round % 3 === 0 ? [logout, login] : [login, logout]
      if (round % 3 === 2) await Promise.all(first.map(({ release }) => release()))
      else for (const { release } of first) await release()
      t.is((await login.answer).status, 204)
      t.is((await logout.answer).status, 204)
      t.deepEqual(await dataOf(thief), {})
      const data = await dataOf(login.client)
      t.is(data['user'], 'lin')
      if (round % 3 === 0) t.deepEqual(data, { user: 'lin' })
    }
  })

  test(`${name}: a write before the end of a login's regenerate() is carried over or dropped, and never stays under the old sid`, async (t) => {
    for (let round = 0; round < 8; round++) {
      const { stolen, held } = await open('key=cart&value=tea')
      const thief = stolen()
      const login = await held('/login?user=lin', 1)
      const writer = await held('/set?key=extra&value=1', 2)
      if (round % 2 === 0) await writer.release()
      await Promise.all([login.release(), writer.release()])
      t.deepEqual(await dataOf(thief), {})
      const data = await dataOf(login.client)
      t.is(data['user'], 'lin')
      t.is(data['cart'], 'tea')
      if (round % 2 === 0) t.is(data['extra'], '1')
    }
  })

  test(`${name}: two logouts at once both succeed`, async (t) => {
    const { held, stolen } = await open()
    const logouts = [await held('/logout', 1), await held('/logout', 2)]
    t.deepEqual(statuses(await Promise.all(logouts.map(({ release }) => release()))), { 204: 2 })
    t.deepEqual(await dataOf(stolen()), {})
  })

  test(`${name}: a read always returns one whole committed state, never torn and never mixed`, async (t) => {
    const { browser, tab } = await open()
    await browser.get('/pair?value=0')
    const requests = Array.from({ length: 60 }, (_, n) => (n % 3 === 0 ? tab(n).get(`/pair?value=${n}`) : tab(n).get('/get')))
    for (const { status, text } of await Promise.all(requests)) {
      t.true(status === 204 || status === 200)
      if (status === 204) continue
      const { left, right } = JSON.parse(text) as { left: string; right: { value: string; long: string } }
      t.is(right.value, left)
      t.is(right.long, left.repeat(500))
    }
  })

  test(`${name}: sessions of different browsers never mix`, async (t) => {
    const browsers = await Promise.all(Array.from({ length: 12 }, (_, n) => open(`key=user&value=user${n}`)))
    await Promise.all(browsers.flatMap(({ tab }, n) => [tab(n).get(`/set?key=a&value=${n}`), tab(n + 1).get(`/push?key=b&value=${n}`), tab(n + 2).get('/change')]))
    for (const [n, { browser }] of browsers.entries()) {
      t.deepEqual(await dataOf(browser), { user: `user${n}`, a: String(n), b: [String(n)], count: 1 })
    }
  })
}

async function dataOf(client: Client): Promise<Record<string, unknown>> {
  return (await client.get('/get')).json as Record<string, unknown>
}

function statuses(answers: Answer[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}
