import test from 'ava'
import * as fc from 'fast-check'
import { edits, forged, noise, piece } from '../cookie/subjects.js'
import type { Options } from '../support/story.js'
import { cookie, memory } from './backends/local.js'
import type { Backend } from './backends/index.js'
import { routes } from './cases/routes.js'
import { requestWith, sendRaw } from './raw-request.js'
import { Stage, type Target } from './stage.js'

/** What each cookie value opens that the application has given out: the owner of a live session, or nothing. */
type Given = ReadonlyMap<string, string | undefined>

const kinds: readonly (readonly [what: string, backend: Backend, options: Options, runs: number])[] = [
  ['a signed sid', memory, {}, 700], ['a bare sid', memory, { signed: false }, 400], ['the whole record', cookie, {}, 400]
]

for (const [what, backend, options, runs] of kinds) {
  test(`no bytes in Cookie headers are an error, reach the store unless they verify, or open a session that was not given (the cookie has ${what})`, async (t) => {
    const stage = new Stage(backend.name, await backend.start(t), t)
    const target = await stage.start(routes, options)
    const given = await giveSessions(target)
    const isSigned = options.signed !== false
    let opened = 0
    await fc.assert(
      fc.asyncProperty(cookieLines([...given.keys()]), fc.constantFrom(...Object.keys(routes)), async (lines, path) => {
        const verified = verifiedIn(lines, given)
        const before = target.calls().length
        // A request that does something could end a session that later runs use.
        const sent = verified.length === 0 ? `${path}?key=user&value=x&user=x` : '/who'
        const { status, head, body } = await sendRaw(target.origin, requestWith(sent, lines))
        const calls = target.calls().slice(before)
        // Node itself refuses what is no HTTP.
        if (status === 400 || status === 431) return t.deepEqual(calls, [])
        t.true(status === 200 || status === 204, `${status} for ${sent}`)
        if (sent !== '/who') {
          // A bare sid of the right form is looked up.
          t.true(calls.every((call) => call === 'create' || (call === 'read' && !isSigned)), `${calls.join()} for ${sent}`)
          return t.notRegex(body, /momo|lin/)
        }
        const { owner, isNew } = JSON.parse(body) as { owner: string | null; isNew: boolean }
        const expected = ownerOf(verified, given)
        if (isSigned) t.deepEqual(calls, stage.carriesRecord ? [] : verified.map(() => 'read'))
        t.deepEqual({ owner, isNew }, { owner: expected ?? null, isNew: expected === undefined })
        t.notRegex(head, /set-cookie/i)
        if (expected !== undefined) opened++
        return undefined
      }),
      { numRuns: runs }
    )
    t.deepEqual(target.errors, [])
    t.true(opened > runs / 50, `${opened} of the headers opened a session`)
  })
}

/** Two live sessions, one that has a new sid, one that was ended, and one that nobody has stored. */
async function giveSessions({ browser }: Target): Promise<Given> {
  const given = new Map<string, string | undefined>()
  for (const owner of ['momo', 'lin']) given.set(await logIn(owner), owner)
  const ended = browser()
  await ended.get('/login?user=ended')
  // cookieStore() cannot end a session, so its cookie goes on opening it.
  const isEnded = (await ended.copy().get('/logout')).status === 204 && ((await ended.get('/who')).json as { owner: string | null }).owner === null
  given.set(ended.cookie('session')!, isEnded ? undefined : 'ended')
  return given

  async function logIn(owner: string): Promise<string> {
    const client = browser()
    await client.get(`/login?user=${owner}`)
    return client.cookie('session')!
  }
}

/** Lines of `Cookie` headers. Many hold a value that was given out, whole or nearly so. */
function cookieLines(values: readonly string[]): fc.Arbitrary<string[]> {
  const whole = fc.constantFrom(...values)
  const mixed = fc.tuple(whole, whole).map(([one, other]) => one.split('.').slice(0, -1).concat(other.split('.').at(-1)!).join('.'))
  const value = fc.oneof(
    { weight: 4, arbitrary: whole },
    { weight: 2, arbitrary: whole.map((each) => `"${each}"`) },
    fc.tuple(whole, edits).map(([each, edit]) => edit(each)),
    mixed, forged, noise, piece(43), fc.string({ maxLength: 60 }).map(toHeader)
  )
  const pair = fc.tuple(fc.constantFrom('session=', 'session=', 'session=', 'session =', 'Session=', 'theme=', ''), value).map((parts) => parts.join(''))
  const separator = fc.constantFrom('; ', '; ', ';', ' ;', ';;', '\t;\t', ', ', ' ', '')
  const line = fc.array(fc.tuple(separator, pair), { minLength: 1, maxLength: 10 }).map((parts) => parts.flat().join(''))
  return fc.array(line, { minLength: 1, maxLength: 3 }).filter((lines) => lines.join('').length < 15_000)
}

/** Any text without what would end the header. */
function toHeader(text: string): string {
  return Array.from(text, (character) => String.fromCharCode(character.charCodeAt(0) & 0xff)).join('').replaceAll(/[\r\n]/g, ' ')
}

/** The reference: each value between its name and the next semicolon, with spaces and tabs around it, in at most one pair of quotes. */
function verifiedIn(lines: readonly string[], given: Given): string[] {
  const parts = lines.map(trim).join('; ').split(';').map(trim)
  const values = parts.filter((part) => part.startsWith('session=')).map((part) => part.slice('session='.length).replace(/^"(.*)"$/s, '$1'))
  return values.length > 8 ? [] : [...new Set(values)].filter((value) => given.has(value))
}

function trim(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '')
}

/** Of several sessions that are live, none counts. */
function ownerOf(verified: readonly string[], given: Given): string | undefined {
  const live = verified.map((value) => given.get(value)).filter((owner) => owner !== undefined)
  return live.length === 1 ? live[0] : undefined
}

