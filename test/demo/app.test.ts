import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Environment } from '../../demo/config.js'
import { Client, readSetCookie } from '../support/client.js'
import { openDemo } from '../support/demo-here.js'
import { Guest, password, recordsIn } from '../support/demo.js'
import { idOf } from '../support/events.js'
import { createGate, type Gate } from '../support/gate.js'

// One after the other: scrypt fills the thread pool, in which the file store's calls would wait beyond their time.
const shopTest = test.serial

interface Shop {
  origin: string
  dir: string
  gate: Gate
  guest: Guest
  records: () => Promise<string[]>
}

async function open(t: ExecutionContext, more: Environment = {}): Promise<Shop> {
  const gate = createGate()
  const { origin, dir } = await openDemo(t, more, () => gate.pass())
  return { origin, dir, gate, guest: new Guest(origin), records: () => recordsIn(dir) }
}

shopTest('a visitor who only looks gets no cookie, and nothing is stored', async (t) => {
  const { guest, records } = await open(t)
  for (const path of ['/', '/session', '/nowhere', '/style.css', '/favicon.svg']) {
    const { setCookie, status } = await guest.get(path)
    t.deepEqual(setCookie, [], path)
    t.is(status, path === '/nowhere' ? 404 : 200)
  }
  t.deepEqual(await records(), [])
})

shopTest('every answer has the security headers, every page is not stored by caches', async (t) => {
  const { guest } = await open(t)
  for (const path of ['/', '/login', '/shop', '/preferences', '/session', '/race', '/nowhere', '/style.css', '/race.css']) {
    const { headers, text } = await guest.get(path)
    t.regex(String(headers['content-security-policy']), /default-src 'none'; style-src 'self';.*form-action 'self'.*frame-ancestors 'none'/)
    t.is(headers['x-content-type-options'], 'nosniff')
    t.is(headers['referrer-policy'], 'same-origin')
    t.is(headers['cache-control'], path.endsWith('.css') ? 'no-cache' : 'no-store')
    t.notRegex(text, /<script|style="|\son[a-z]+=/)
  }
})

shopTest('the style sheet is answered with 304 if the browser has it', async (t) => {
  const { guest } = await open(t)
  const { headers } = await guest.get('/style.css')
  t.is((await guest.client.get('/style.css', { headers: { 'if-none-match': String(headers.etag) } })).status, 304)
})

shopTest('wrong passwords are counted in the session and refused with 401', async (t) => {
  const { guest } = await open(t)
  await guest.get('/login')
  for (const words of ['One wrong attempt', '2 wrong attempts', '3 wrong attempts']) {
    const { status, text } = await guest.send('/login', { name: 'Momo', password: 'guess' })
    t.is(status, 401)
    t.true(text.includes(words))
    t.true(text.includes('value="Momo"'))
    t.false(text.includes('guess'))
  }
  t.is((await guest.send('/login', { name: 'Momo', password })).status, 303)
  t.true((await guest.get('/')).text.includes('There were 3 wrong attempts'))
})

shopTest('the password is compared whole: a part, another case and a longer one are wrong', async (t) => {
  const { guest } = await open(t)
  await guest.get('/login')
  for (const wrong of ['', 'open', 'Open Sesame', `${password} `, password + password]) {
    t.is((await guest.send('/login', { name: 'Momo', password: wrong })).status, 401)
  }
})

shopTest('a name is needed, may be anything, and is escaped', async (t) => {
  const { guest } = await open(t)
  await guest.get('/login')
  for (const name of ['', ' \n ', 'x'.repeat(41)]) t.is((await guest.send('/login', { name, password })).status, 422)
  await guest.login({ name: '<b onclick="x">&\u0000Ünï' })
  for (const path of ['/', '/session', '/nowhere']) {
    const { text } = await guest.get(path)
    t.false(text.includes('<b onclick'))
    t.true(text.includes('&lt;b onclick=&quot;x&quot;&gt;&amp; Ünï'))
  }
})

shopTest('a refused login marks the field that is wrong: the password, or an empty name', async (t) => {
  const { guest } = await open(t)
  await guest.get('/login')
  const marked = async (fields: Record<string, string>) => {
    const { text } = await guest.send('/login', fields)
    return [...text.matchAll(/<input id="(\w+)"([^>]*)>/g)].filter(([, , rest]) => rest!.includes('aria-invalid="true" aria-describedby="problem"')).map(([, id]) => id)
  }
  t.deepEqual(await marked({ name: 'Momo', password: 'guess' }), ['password'])
  t.deepEqual(await marked({ name: ' ', password }), ['name'])
})

shopTest('the greeting and the line above it are in the language that was chosen, and every other date is in the language of the page', async (t) => {
  const { guest } = await open(t)
  await guest.get('/preferences')
  await guest.send('/preferences', { theme: 'light', language: 'de' })
  await guest.login()
  t.regex((await guest.get('/')).text, /<p class="eyebrow" lang="de">Angemeldet seit \w+, \d+\. \w+ \d{4} um /)
  const months = /\d+ (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept|Oct|Nov|Dec) \d{4}/
  t.regex((await guest.get('/devices')).text, new RegExp(`First seen ${months.source}`))
  t.regex((await guest.get('/session')).text, new RegExp(`Created</dt><dd>${months.source}`))
})

shopTest('a visitor is asked to log in before pressing a button that only users have', async (t) => {
  const { guest } = await open(t)
  const hint = async () => /<h3>Log out elsewhere<\/h3><p>(.*?)<\/p>/.exec((await guest.get('/')).text)![1]!
  t.regex(await hint(), /^<a href="\/login">Log in<\/a> first/)
  await guest.login()
  t.regex(await hint(), /^Press <em>Count slowly<\/em>/)
  t.true((await guest.get('/')).text.includes('>Count slowly</button>'))
})

for (const [type, hint] of [['filesystem', 'You are still logged in'], ['memory', 'You are logged out']] as const) {
  shopTest(`the start page says what a restart does to sessions of the type ${type}`, async (t) => {
    const { guest } = await open(t, { SESSION_TYPE: type })
    t.regex((await guest.get('/')).text, new RegExp(`npm run demo</code> again\\. ${hint}`))
  })
}

shopTest('a login gives a new cookie and a new token; the cookie from before it is worth nothing', async (t) => {
  const { guest, records } = await open(t)
  await guest.get('/login')
  const thief = new Guest(guest.client.copy())
  const [before, token] = [guest.client.cookie('session')!, guest.token]
  await guest.login()
  t.not(guest.client.cookie('session'), before)
  t.not(guest.token, token)
  t.is(await guest.count(), 0)
  t.is(await thief.count(), undefined)
  t.true((await thief.get('/session')).text.includes('There is none'))
  t.is((await records()).length, 1)
})

shopTest('a cart and preferences from before the login are there after it', async (t) => {
  const { guest } = await open(t)
  await guest.get('/shop')
  await guest.send('/cart', { add: 'shell' })
  await guest.send('/cart', { add: 'shell' })
  await guest.send('/preferences', { theme: 'dark', language: 'de' })
  await guest.login()
  const { text } = await guest.get('/')
  t.true(text.includes('data-theme="dark"'))
  t.true(text.includes('Schön, dass du da bist, Momo.'))
  t.regex(text, /9,60\s€/)
})

shopTest('the cart is changed in place: pieces are added and taken, and it can be emptied', async (t) => {
  const { guest } = await open(t)
  const shown = async () => [...(await guest.get('/shop')).text.matchAll(/<strong>([^<]+)<\/strong><br>|<output>(\d+)</g)].map(([, name, pieces]) => name ?? pieces)
  await guest.get('/shop')
  for (const add of ['shell', 'watch', 'shell']) t.is((await guest.send('/cart', { add })).status, 303)
  t.deepEqual(await shown(), ['Sea shell', '2', 'Pocket watch', '1'])
  await guest.send('/cart', { less: 'watch' })
  await guest.send('/cart', { less: 'shell' })
  await guest.send('/cart', { less: 'key' })
  t.deepEqual(await shown(), ['Sea shell', '1'])
  t.is((await guest.send('/cart', { add: 'moon' })).status, 400)
  await guest.send('/cart', { empty: 'yes' })
  t.deepEqual(await shown(), [])
})

shopTest('a message is shown once', async (t) => {
  const { guest } = await open(t)
  await guest.get('/preferences')
  await guest.send('/preferences', { theme: 'light', language: 'fr' })
  t.true((await guest.get('/preferences')).text.includes('Your preferences are kept.'))
  t.false((await guest.get('/preferences')).text.includes('Your preferences are kept.'))
})

shopTest('unknown preferences are refused', async (t) => {
  const { guest } = await open(t)
  await guest.get('/preferences')
  t.is((await guest.send('/preferences', { theme: 'pink', language: 'de' })).status, 400)
  t.is((await guest.send('/preferences', { theme: 'dark', language: '../de' })).status, 400)
})

shopTest('parallel counts are all counted', async (t) => {
  const { guest } = await open(t)
  await guest.login()
  const answers = await Promise.all(Array.from({ length: 20 }, async () => guest.send('/count')))
  t.true(answers.every(({ status }) => status === 303))
  t.is(await guest.count(), 20)
})

shopTest('who is not logged in cannot count', async (t) => {
  const { guest } = await open(t)
  await guest.get('/shop')
  const { status, headers } = await guest.send('/count')
  t.deepEqual([status, headers.location], [303, '/login'])
})

shopTest('remember me: a cookie with an expiry that outlives the browser, and the longer lifetime', async (t) => {
  const { guest, dir, records } = await open(t)
  const { setCookie } = await guest.login({ remember: 'yes' })
  const { expires, httponly, samesite, path } = readSetCookie(setCookie[0]!)
  t.deepEqual({ httponly, samesite, path }, { httponly: true, samesite: 'Lax', path: '/' })
  const days = (Date.parse(String(expires)) - Date.now()) / (24 * 3_600_000)
  t.true(days > 30.9 && days < 31.1)
  guest.client.close()
  t.is(await guest.count(), 0)
  const record = JSON.parse(await readFile(join(dir, (await records())[0]!), 'utf8')) as object
  t.like(record, { permanent: true, lifetime: 31 * 24 * 3_600_000 })
})

shopTest('without remember me the cookie dies with the browser', async (t) => {
  const { guest } = await open(t)
  const { setCookie } = await guest.login()
  t.is(readSetCookie(setCookie[0]!)['expires'], undefined)
  guest.client.close()
  t.is(await guest.count(), undefined)
})

shopTest('a user who is logged in keeps the session: another name does not inherit it', async (t) => {
  const { guest } = await open(t)
  await guest.login()
  await guest.send('/count')
  t.is((await guest.get('/login')).headers.location, '/')
  t.is((await guest.send('/login', { name: 'Eve', password })).status, 303)
  t.true((await guest.get('/')).text.includes('Good to see you, Momo.'))
})

shopTest('a logout removes record and cookie, and the old cookie opens nothing', async (t) => {
  const { guest, records } = await open(t)
  await guest.login({ remember: 'yes' })
  const copy = new Guest(guest.client.copy())
  const { status, headers } = await guest.send('/logout')
  t.deepEqual([status, headers.location], [303, '/?goodbye'])
  t.is(guest.client.cookie('session'), undefined)
  t.deepEqual(await records(), [])
  t.is(await copy.count(), undefined)
  const goodbye = await guest.get('/?goodbye')
  t.true(goodbye.text.includes('You are logged out.'))
  t.deepEqual(goodbye.setCookie, [])
})

shopTest('logged out in one tab while another submits slowly: logged out in both', async (t) => {
  const { guest, gate, records } = await open(t)
  await guest.login()
  const slow = guest.send('/count', { slowly: 'yes' })
  await gate.reached()
  await guest.send('/logout')
  gate.open()
  t.deepEqual((await slow).setCookie, [])
  t.is(await guest.count(), undefined)
  t.deepEqual(await records(), [])
})

shopTest('a slow submit does not lose the changes of another tab', async (t) => {
  const { guest, gate } = await open(t)
  await guest.login()
  const slow = guest.send('/count', { slowly: 'yes' })
  await gate.reached()
  await guest.send('/count')
  await guest.send('/cart', { add: 'key' })
  gate.open()
  await slow
  t.is(await guest.count(), 2)
  t.true((await guest.get('/shop')).text.includes('1<span class="hidden"> in the cart'))
})

for (const path of ['/login', '/logout', '/count', '/cart', '/preferences', '/nowhere']) {
  shopTest(`POST ${path} without the session's token is refused with 403, and changes nothing`, async (t) => {
    const { guest, origin, dir, records } = await open(t)
    await guest.login()
    const stored = await readFile(join(dir, (await records())[0]!), 'utf8')
    const other = new Guest(origin)
    await other.get('/login')
    for (const fields of [{ _csrf: '' }, { _csrf: 'guess' }, { _csrf: other.token }, { _csrf: `${guest.token}x` }]) {
      const { status, setCookie } = await guest.send(path, { name: 'Eve', password, add: 'key', theme: 'dark', language: 'de', ...fields })
      t.deepEqual([status, setCookie], [403, []])
    }
    t.is((await guest.client.post(path, { _csrf: guest.token })).status, 403, 'as JSON')
    t.is((await new Client(origin).post(path, `_csrf=${guest.token}`, { headers: { 'content-type': 'application/x-www-form-urlencoded' } })).status, 403)
    t.is(await readFile(join(dir, `session%3a${idOf(guest.client.cookie('session')!)}.json`), 'utf8'), stored)
  })
}

shopTest('a logout is by POST only', async (t) => {
  const { guest } = await open(t)
  await guest.login()
  t.is((await guest.get('/logout')).status, 405)
  t.is(await guest.count(), 0)
})

shopTest('the session page shows the record, its file, its life and the attributes of its cookie', async (t) => {
  const { guest, dir } = await open(t)
  await guest.login({ remember: 'yes' })
  await guest.send('/count')
  const { text } = await guest.get('/session')
  const cookie = guest.client.cookie('session')!
  const file = join(dir, `session%3a${idOf(cookie)}.json`)
  const plain = text.replace(/<[^>]+>/g, '').replaceAll('&quot;', '"')
  t.true(plain.includes(`"id": "${idOf(cookie)}"`))
  t.regex(plain, /"owner": "Momo"/)
  t.regex(plain, /"visits": 1/)
  t.true(plain.includes(file))
  for (const word of ['0600', 'HttpOnly', 'SameSite=Lax', 'Path=/', 'Expires=', 'of 31 days', 'Created']) t.true(plain.includes(word), word)
  t.true((await readFile(file, 'utf8')).includes('"owner":"Momo"'))
})

shopTest('no page shows the secret in the cookie, its signature, or the token beside a form', async (t) => {
  const { guest } = await open(t)
  await guest.login({ remember: 'yes' })
  const [sid, mac] = guest.client.cookie('session')!.split('.') as [string, string]
  for (const path of ['/', '/shop', '/preferences', '/session', '/nowhere']) {
    const { text } = await guest.get(path)
    t.false(text.includes(sid) || text.includes(mac), path)
    t.false(text.replaceAll(/<input type="hidden" name="_csrf" value="[^"]+">/g, '').includes(guest.token), path)
  }
})

shopTest('a form that came from somewhere else than a form is no 5xx', async (t) => {
  const { guest } = await open(t)
  await guest.login()
  const form = { headers: { 'content-type': 'application/x-www-form-urlencoded' } }
  const bodies = ['', '%', '_csrf[]=1&_csrf[]=2', '_csrf[toString]=1', '__proto__[x]=1', 'a'.repeat(20_000), `_csrf=${guest.token}&add[]=key`]
  for (const body of bodies) {
    const { status } = await guest.client.post('/cart', body, form)
    t.true(status >= 400 && status < 500, `${status} for ${body.slice(0, 30)}`)
  }
})

shopTest('when the store fails, the page says so with 503, keeps the cookie and tells no path', async (t) => {
  const { guest, dir } = await open(t)
  await guest.login()
  const cookie = guest.client.cookie('session')!
  const file = join(dir, `session%3a${idOf(cookie)}.json`)
  const text = await readFile(file, 'utf8')
  await writeFile(file, JSON.stringify({ ...(JSON.parse(text) as object), version: 99 }))
  const broken = await guest.get('/')
  t.is(broken.status, 503)
  t.deepEqual(broken.setCookie, [])
  t.true(broken.text.includes('nobody is logged out'))
  t.false(broken.text.includes(dir))
  await writeFile(file, text)
  t.is(await guest.count(), 0)
})

shopTest('a session whose owner did not ask to be remembered has the shorter lifetime, at most the configured one', async (t) => {
  const lifetime = 60_000
  const { guest, dir, records } = await open(t, { PERMANENT_SESSION_LIFETIME: String(lifetime / 1000) })
  await guest.login()
  const record = JSON.parse(await readFile(join(dir, (await records())[0]!), 'utf8')) as { expires: number; lifetime: number }
  t.is(record.lifetime, lifetime)
  t.true(record.expires <= Date.now() + lifetime)
})
