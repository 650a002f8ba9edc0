import test, { type ExecutionContext } from 'ava'
import { lostOf } from '../../demo/race/bar.js'
import { barsOf, counts } from '../../demo/race/counts.js'
import { differentKeys, keys } from '../../demo/race/different-keys.js'
import { keepsakeLibrary, koaSessionLibrary, withApp, type Library } from '../../demo/race/library.js'
import { logoutBesideUpload } from '../../demo/race/logout.js'
import { stealCookies } from '../../demo/race/theft.js'

// The traffic of the page /race through both libraries. Whatever it shows comes from here.

const settings = { parallel: 6, delay: 20 }
const both = [koaSessionLibrary, keepsakeLibrary]

test('requests that set different keys at once: koa-keepsake loses none, koa-session loses some', async (t) => {
  const [koaSession, keepsake] = await Promise.all(both.map((library) => withApp(library, (origin) => differentKeys(origin, settings))))
  t.is(lostOf(keepsake!), 0)
  t.deepEqual(keepsake!.left, { user: 'Momo', cart: 1, theme: 2, language: 3, address: 4, coupon: 5, currency: 6 })
  t.true(lostOf(koaSession!) > 0)
  const left = koaSession!.bars.filter(({ fate }) => fate === 'kept').map(({ label }) => label)
  t.deepEqual(Object.keys(koaSession!.left).sort(), ['user', ...left].sort())
})

test('a hundred counts: koa-keepsake counts all of them, and as many of koa-session are marked as lost as its number lacks', async (t) => {
  const [koaSession, keepsake] = await Promise.all(both.map((library) => withApp(library, (origin) => counts(origin, settings))))
  t.deepEqual([lostOf(keepsake!), keepsake!.left], [0, { user: 'Momo', count: 100 }])
  t.true(lostOf(koaSession!) > 0)
  t.is(Number(koaSession!.left['count']), 100 - lostOf(koaSession!))
})

test('the line that both libraries understand loses counts in koa-keepsake too, and the page counts them', async (t) => {
  const { left, bars } = await withApp(keepsakeLibrary, (origin) => counts(origin, settings, '/plain-count'))
  t.true(Number(left['count']) < 100)
  t.is(bars.length, 100)
})

test('a logout beside a slow request: koa-session brings the session back, koa-keepsake does not', async (t) => {
  const [koaSession, keepsake] = await Promise.all(both.map((library) => withApp(library, (origin) => logoutBesideUpload(origin, settings))))
  t.deepEqual(koaSession!.left, { user: 'Momo', upload: 30 })
  t.deepEqual(koaSession!.bars.map(({ fate }) => fate), ['kept', 'lost', 'lost'])
  t.deepEqual([keepsake!.left, keepsake!.own], [{}, {}])
  t.deepEqual(keepsake!.bars.map(({ fate }) => fate), ['ended', 'kept', 'kept'])
})

test('nothing is written in advance: of requests that come one after another, koa-session loses none', async (t) => {
  const alone = { parallel: 1, delay: 0 }
  const outcome = await withApp(koaSessionLibrary, (origin) => counts(origin, alone))
  t.deepEqual([lostOf(outcome), outcome.left], [0, { user: 'Momo', count: 100 }])
})

test('nothing is written in advance: a middleware that forgets everything loses every request under any name', async (t) => {
  const forgetful: Library = {
    ...keepsakeLibrary,
    middleware: () => (ctx, next) => {
      Object.defineProperty(ctx, 'session', { value: { increment: () => 1 } })
      return next()
    }
  }
  const outcomes = await withApp(forgetful, async (origin) => [await differentKeys(origin, settings), await counts(origin, settings)])
  t.deepEqual(outcomes.map(lostOf), [6, 100])
})

test('a cookie that was stolen before a login opens the account after it only if the login gave no new secret', async (t) => {
  const rest = { beforeLogin: ['cart'], whileLoggedIn: ['cart', 'user'], afterLogout: [] }
  for (const library of both) {
    const thefts = await withApp(library, async (origin) => [await stealCookies(origin, '/login'), await stealCookies(origin, '/secure-login')])
    t.deepEqual(thefts, [{ ...rest, afterLogin: ['cart', 'user'] }, { ...rest, afterLogin: [] }], library.name)
  }
})

test('the applications of a run are closed after it, also when it fails', async (t) => {
  const isClosed = (origin: string) => t.throwsAsync(fetch(origin))
  await isClosed(await withApp(keepsakeLibrary, async (origin) => origin))
  let failed = ''
  await t.throwsAsync(withApp(keepsakeLibrary, async (origin) => Promise.reject(new Error((failed = origin)))))
  await isClosed(failed)
})

test('there is a key for each of the most requests at once', (t) => {
  t.is(new Set(keys).size, 20)
})

for (const [answers, final, lost] of [
  [[1, 2, 3], 3, []],
  [[1, 1, 1], 3, []],
  [[1, 1, 2], 2, [0]],
  [[1, 1, 1], 1, [0, 1]],
  [[1, 2, 3, 1], 1, [0, 1, 2]],
  [[], 0, []]
] as const) {
  test(`of counts that answered ${answers.join(', ') || 'nothing'}, with ${final} at the end, ${lost.length} are lost`, (t: ExecutionContext) => {
    const bars = barsOf(answers.map((answer, at) => ({ from: at, to: at + 1, text: String(answer) })), final)
    t.deepEqual(bars.flatMap(({ fate }, at) => (fate === 'lost' ? [at] : [])), [...lost])
  })
}
