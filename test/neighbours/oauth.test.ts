import { createServer } from 'node:http'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import type grantTypes from 'grant'
import { memoryStore, session } from '../../src/index.js'
import { startApp, type Cleanup } from '../support/app.js'
import { Client } from '../support/client.js'
import { createApp, routesOf } from '../support/story.js'

// Its types describe another export than the module has.
const grant = createRequire(import.meta.url)('grant') as typeof grantTypes.default

/** An OAuth 2 provider that lets everybody in. */
async function startProvider(t: Cleanup): Promise<string> {
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://provider.test')
    if (url.pathname === '/token') return void response.setHeader('content-type', 'application/json').end('{"access_token":"a1","token_type":"bearer"}')
    const back = new URL(url.searchParams.get('redirect_uri')!)
    back.search = new URLSearchParams({ code: 'c1', state: url.searchParams.get('state')! }).toString()
    response.writeHead(302, { location: back.href }).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  t.teardown(() => server.closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function start(t: Cleanup) {
  const provider = await startProvider(t)
  const app = createApp()
  app.silent = true
  let middleware: ReturnType<typeof grant.koa> | undefined
  app.use(session({ store: memoryStore() }))
  app.use(async (ctx, next) => {
    const origin = `http://${ctx.host}`
    middleware ??= grant.koa()({
      defaults: { origin, transport: 'session', state: true },
      local: { authorize_url: `${provider}/authorize`, access_url: `${provider}/token`, oauth: 2, key: 'id', secret: 'secret', callback: '/done' }
    })
    return middleware(ctx, next)
  })
  app.use(
    routesOf({
      '/done': async (ctx) => {
        // The answer of the provider is for one request.
        const { response } = ((await ctx.session.take('grant')) ?? {}) as { response?: { access_token?: string; error?: string } }
        if (response?.access_token !== undefined) await ctx.session.loginAs(`user of ${response.access_token}`)
        return { error: response?.error ?? null }
      },
      '/me': (ctx) => ({ owner: ctx.session.owner ?? null, keys: Object.keys(ctx.session) })
    })
  )
  return new Client(await startApp(t, app))
}

/** Follows redirects as a browser does, and returns the address of the callback too. */
async function connect(client: Client): Promise<{ back: string; done: unknown }> {
  const begin = await client.get('/connect/local')
  const { headers } = await fetch(begin.headers.location!, { redirect: 'manual' })
  const { pathname, search } = new URL(headers.get('location')!)
  const back = await client.get(pathname + search)
  return { back: pathname + search, done: (await client.get(back.headers.location!)).json }
}

test('grant logs a user in at an OAuth provider: its state and the answer travel in the session', async (t) => {
  const client = await start(t)
  t.deepEqual((await connect(client)).done, { error: null })
  t.deepEqual((await client.get('/me')).json, { owner: 'user of a1', keys: [] })
})

test('a callback with a foreign state, or in a browser that did not begin, logs nobody in', async (t) => {
  const client = await start(t)
  const begin = await client.get('/connect/local')
  t.regex(begin.headers.location!, /state=/)
  const foreign = await client.get('/connect/local/callback?code=c1&state=foreign')
  t.deepEqual((await client.get(foreign.headers.location!)).json, { error: 'Grant: OAuth2 state mismatch' })
  const other = new Client(client.origin)
  const without = await other.get('/connect/local/callback?code=c1&state=foreign')
  if (without.status === 302) await other.get(without.headers.location!)
  for (const each of [client, other]) t.is(((await each.get('/me')).json as { owner: unknown }).owner, null)
})
