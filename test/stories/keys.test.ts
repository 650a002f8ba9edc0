import test from 'ava'
import Koa from 'koa'
import { memoryStore, session } from '../../src/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { secret } from '../support/story.js'

for (const [what, keys] of [['none', undefined], ['an empty list', []], ['an empty string', ['']], ['one empty of two', [secret, '']]] as const) {
  test(`app.keys: ${what}: an error that says how to set them, on the first request already`, async (t) => {
    const app = new Koa()
    if (keys) app.keys = [...keys]
    const errors: (Error & { code?: string })[] = []
    app.on('error', (error: Error) => errors.push(error))
    app.use(session({ store: memoryStore() }))
    app.use((ctx) => void (ctx.body = 'never looked at the session'))
    const { status, text } = await new Client(await startApp(t, app)).get('/')
    t.is(status, 500)
    t.is(text, 'Internal Server Error')
    t.is(errors[0]?.code, 'ERR_SESSION_KEYS')
    t.regex(errors[0]!.message, /app\.keys = \[/)
  })
}

for (const [what, keys] of [['an empty list', []], ['an empty string', ['']], ['one empty of two', [secret, '']]] as const) {
  test(`keys: ${what}: an error that says how to set them, in the call`, (t) => {
    t.throws(() => session({ store: memoryStore(), keys: [...keys] }), { code: 'ERR_SESSION_KEYS', message: /app\.keys = \[/ })
  })
}

for (const keys of ['text', 1, {}, [1], [null, secret], [{}]]) {
  test(`keys: ${JSON.stringify(keys)} is refused`, (t) => {
    t.throws(() => session({ store: memoryStore(), keys: keys as unknown as string[] }), { message: /keys?\b/ })
  })
}

test('a secret under 32 bytes: one process warning, which does not quote it', async (t) => {
  const warnings: Error[] = []
  const listener = (warning: Error) => void warnings.push(warning)
  process.on('warning', listener)
  t.teardown(() => process.off('warning', listener))
  for (let n = 0; n < 2; n++) {
    const app = new Koa()
    app.keys = ['too short, and secret']
    app.use(session({ store: memoryStore() }))
    app.use((ctx) => {
      ctx.session.user = 'momo'
      ctx.body = 'set'
    })
    const client = new Client(await startApp(t, app))
    t.is((await client.get('/')).status, 200)
    t.is((await client.get('/')).status, 200)
  }
  const ours = warnings.filter(({ message }) => message.includes('32 bytes'))
  t.is(ours.length, 1)
  t.false(ours[0]!.message.includes('too short, and'))
})
