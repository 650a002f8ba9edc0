import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { endWithLastAnswers } from '../../demo/last-answers.js'
import { session, storeFromUrl } from '../../src/index.js'
import { createApp } from '../support/story.js'

// An application that ends as the guide says: on SIGTERM it answers the requests that it has, closes its sessions, and nothing keeps it alive.

const app = createApp()
app.silent = true
const sessions = session({ store: storeFromUrl(process.argv[2]!), storeTimeout: 60_000 })
app.use(sessions)
app.use((ctx) => {
  if (ctx.path === '/fail') ctx.throw(503)
  const count = ctx.session.increment('count')
  if (ctx.path === '/login' && count > 1) return ctx.session.loginAs('momo').then(() => void (ctx.body = String(count)))
  ctx.body = String(count)
  return undefined
})
const server = app.listen(0, '127.0.0.1')
endWithLastAnswers(server)
await once(server, 'listening')
process.once('SIGTERM', () => {
  server.close(() => void sessions.close().then(() => process.disconnect()))
})
process.send!(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
