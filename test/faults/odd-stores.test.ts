import test, { type ExecutionContext } from 'ava'
import { memoryStore, SessionError, type SessionRecord, type SessionStore } from '../../src/index.js'
import { routes } from '../attacks/cases/routes.js'
import { Stage, type Target } from '../attacks/stage.js'
import { newRecord } from '../support/files.js'

/** How long a call of the store may take here, in milliseconds. */
const storeTimeout = 80
/** A request makes a few calls, and the machine may be busy. In milliseconds. */
const longest = 15_000
/** How many stores are tried at once: most of the time is spent on waiting. */
const atOnce = 30

type Method = 'read' | 'create' | 'update' | 'destroy' | 'ownedBy' | 'records'
const methods: readonly Method[] = ['read', 'create', 'update', 'destroy', 'ownedBy', 'records']

/** What a store does instead of a call. */
type Oddity = (call: () => unknown) => unknown

const never = new Promise<never>(() => undefined)
const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const others = newRecord({ secret: "lin's" }, 3_600_000, { owner: 'lin' })
const broken = (): unknown =>
  new Proxy({}, {
    get() {
      throw new Error('nothing can be read of it')
    },
    ownKeys() {
      throw new Error('nothing can be listed of it')
    }
  })
const silentError = Object.defineProperty(new Error('x'), 'message', {
  get() {
    throw new Error('the message cannot be read')
  }
})
const sync = (value: unknown): Oddity => () => value
const rejecting = (reason: unknown): Oddity => async () => {
  throw reason
}
const throwing = (reason: unknown): Oddity => () => {
  throw reason
}
// oxlint-disable-next-line unicorn/no-thenable -- a store may answer one
const thenable = (then: unknown): object => ({ then })
/** A listing of values. */
const listing = (...values: unknown[]): Oddity => () => ({
  async *[Symbol.asyncIterator]() {
    yield* values
  }
})

const reasons: readonly (readonly [what: string, reason: unknown])[] = [
  ['an error', new Error('connect ECONNREFUSED')], ['a frozen error', Object.freeze(new Error('frozen'))], ['an error whose message cannot be read', silentError], ['undefined', undefined], ['null', null],
  ['a string', 'down'], ['a symbol', Symbol('down')], ['an object', { status: 200, headers: { 'set-cookie': 'session=evil' } }], ['an object of which nothing can be read', broken()],
  ['an error that looks like a 404', Object.assign(new Error('not found'), { status: 404, expose: true, code: 'ENOENT' })]
]

const answers: readonly (readonly [what: string, answer: unknown])[] = [
  ['undefined', undefined], ['null', null], ['false', false], ['true', true], ['0', 0], ['an empty string', ''], ['a string', 'session'], ['a bigint', 7n], ['a symbol', Symbol('x')], ['a function', () => others],
  ['a list', []], ['an empty object', {}], ['a date', new Date()], ['the record of another', others], ['a list with it', [others]], ['its text', JSON.stringify(others)], ['an object of which nothing can be read', broken()]
]

const oddities: { readonly [what: string]: Oddity } = {
  'never answers': () => never,
  'answers late': (call) => later(3 * storeTimeout).then(call),
  'does its work, and answers late': async (call) => {
    const answer = await call()
    await later(3 * storeTimeout)
    return answer
  },
  'fails late': () => later(3 * storeTimeout).then(() => Promise.reject(new Error('late'))),
  'does its work, and fails': async (call) => {
    await call()
    throw new Error('the connection was lost')
  },
  'answers a promise that is no promise': sync(thenable(7)),
  'answers a promise that never settles': sync(thenable(() => undefined)),
  'answers a promise that throws': sync(thenable(() => {
    throw new Error('no promise')
  })),
  'answers a promise that settles twice': sync(thenable((resolve: (value: unknown) => void, reject: (reason: unknown) => void) => {
    resolve(others)
    reject(new Error('twice'))
    resolve(undefined)
  })),
  'lists the record of another owner': listing(others),
  'lists anything': listing(undefined, null, 7, 'x', {}, [], { ...others, id: 7 }, { ...others, owner: 7 }),
  'lists an object of which nothing can be read': listing(broken()),
  'lists for ever without an answer': () => ({ [Symbol.asyncIterator]: () => ({ next: () => never, return: () => never }) }),
  'lists without an iterator': () => ({ [Symbol.asyncIterator]: () => 7 }),
  ...Object.fromEntries(reasons.map(([what, reason]): [string, Oddity] => [`rejects with ${what}`, rejecting(reason)])),
  ...Object.fromEntries(reasons.map(([what, reason]): [string, Oddity] => [`throws ${what}`, throwing(reason)])),
  ...Object.fromEntries(answers.map(([what, answer]): [string, Oddity] => [`answers ${what}`, sync(answer)])),
  ...Object.fromEntries(answers.map(([what, answer]): [string, Oddity] => [`resolves to ${what}`, async () => answer]))
}

/** What `update` does with the recipe. */
const uses: { readonly [what: string]: (inner: SessionStore, ...call: Parameters<SessionStore['update']>) => unknown } = {
  'runs a recipe five times': (inner, id, recipe, seen) =>
    inner.update(id, (current) => {
      for (let run = 0; run < 4; run++) recipe(current)
      return recipe(current)
    }, seen),
  'never runs the recipe': async (inner, id) => inner.read(id),
  'runs the recipe on the record of another': async (_inner, _id, recipe) => recipe(others),
  'runs the recipe on nothing': async (_inner, _id, recipe) => recipe(undefined as unknown as SessionRecord),
  'runs the recipe on an object of which nothing can be read': async (_inner, _id, recipe) => recipe(broken() as SessionRecord),
  'swallows what the recipe throws': async (inner, id, recipe) => {
    try {
      return recipe(others)
    } catch {
      return inner.read(id)
    }
  },
  'runs the recipe again after its answer': async (inner, id, recipe, seen) => {
    const answer = await inner.update(id, recipe, seen)
    void later(5).then(() => inner.update(id, recipe)).catch(() => undefined)
    return answer
  },
  'stores what the recipe made, and answers another record': async (inner, id, recipe, seen) => {
    await inner.update(id, recipe, seen)
    return others
  }
}

interface Odd {
  method?: Method | undefined
  oddity?: Oddity
  use?: (typeof uses)[string]
}

/** A store that does what it should until it is made odd. */
function oddStore(): { store: SessionStore; odd: Odd } {
  const odd: Odd = {}
  const inner = memoryStore()
  void inner.create(others.id, others)
  const wrapped = (method: Method) => (...args: never[]) => {
    const call = (): unknown => (inner[method] as (...all: never[]) => unknown)(...args)
    if (odd.method !== method) return call()
    return odd.use ? odd.use(inner, ...(args as unknown as Parameters<SessionStore['update']>)) : odd.oddity!(call)
  }
  return { store: Object.fromEntries(methods.map((method) => [method, wrapped(method)])) as unknown as SessionStore, odd }
}

const paths = [...Object.keys(routes), '/end-others'].map((path) => `${path}?key=a&value=1&user=momo`)

test('no store, whatever it does, makes a request hang, answer anything but a success or 503, or show or end the session of another', async (t) => {
  const tries = Object.entries(oddities).flatMap(([what, oddity]) => methods.map((method) => ({ what: `${method}() ${what}`, odd: { method, oddity } })))
  t.true(tries.length > 400)
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = tries.pop(); next; next = tries.pop()) await tryOdd(t, next.what, next.odd)
    })
  )
})

for (const [what, use] of Object.entries(uses)) {
  test(`nor does a store whose update() ${what}`, (t) => tryOdd(t, what, { method: 'update', use }))
}

async function tryOdd(t: ExecutionContext, what: string, odd: Odd): Promise<void> {
  const made = oddStore()
  const stage = new Stage('odd', { store: () => made.store }, t)
  const target = await stage.start({ ...routes, '/end-others': async (ctx) => ({ ended: await ctx.session.endOthers() }) }, { prefix: undefined, storeTimeout, touchAfter: 0 })
  const began = performance.now()
  for (const path of paths) {
    const client = target.browser()
    await client.get('/login?user=momo')
    Object.assign(made.odd, odd)
    const { status, text } = await client.get(path)
    t.true(status < 300 || status === 503, `${what}: ${path}: ${status}`)
    t.false(text.includes('lin'), `${what}: ${path}: ${text}`)
    made.odd.method = undefined
    t.true((await client.get('/set?key=b&value=1')).status < 300, `${what}: after ${path}`)
  }
  Object.assign(made.odd, odd)
  for (const outcome of await outside(target)) t.is(outcome, 'ends', what)
  made.odd.method = undefined
  t.is((await target.sessions.find(others.id))?.owner, 'lin', `${what}: nobody has ended the session of another`)
  t.true(performance.now() - began < longest * paths.length, what)
}

/** How the calls outside of requests end. */
async function outside({ sessions }: Target): Promise<string[]> {
  const calls = [
    sessions.find(others.id), collect(sessions.ownedBy('momo')), collect(sessions.all()), sessions.endOwnedBy('momo'), sessions.count(), sessions.read({ headers: { cookie: 'session=x' } })
  ]
  return Promise.all(calls.map((call) => Promise.race([call.then(() => 'ends', endOf), later(longest).then(() => 'hangs')])))
}

function endOf(error: unknown): string {
  return error instanceof SessionError ? 'ends' : String(error)
}

async function collect(listed: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of listed);
}
