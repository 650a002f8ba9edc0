import { once } from 'node:events'
import { Agent, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { session, storeFromUrl } from '../../src/index.js'
import { createApp, hour, minute } from '../support/story.js'

/*
 * `run.ts <store URL> <requests>`: makes requests of an application in this process, in four parts, and sends what the heap holds after each part, once
 * all sessions have expired and were removed. It needs `--expose-gc`.
 */

const [, , url, requests] = process.argv as [string, string, string, string]
const parts = 4
const inFlight = 32

let time = Date.now()
const app = createApp()
app.silent = true
const sessions = session({ store: storeFromUrl(url), now: () => time, lifetime: hour, storeTimeout: minute })
app.use(sessions)
app.use(async (ctx) => {
  if (ctx.path === '/login') await ctx.session.loginAs('momo')
  else if (ctx.path === '/logout') await ctx.session.destroy()
  else if (ctx.path === '/fail') ctx.throw(500)
  else if (ctx.path === '/read') ctx.body = { count: ctx.session['count'] as number }
  else ctx.body = { count: ctx.session.increment('count') }
})
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo
const agent = new Agent({ keepAlive: true, maxSockets: inFlight })

/** What a visitor does. Half of them leave without a logout, and one cookie of eight is forged. */
const visit = ['/count', '/count', '/read', '/login', '/count', '/fail', '/read', '/forged', '/logout']

const heaps: number[] = []
for (let part = 0; part < parts; part++) {
  let left = Math.ceil(Number(requests) / parts)
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      for (let visitor = 0; left > 0; visitor++) {
        let cookie = ''
        for (const path of visitor % 2 === 0 ? visit : visit.slice(0, -1)) {
          left--
          cookie = (await ask(path, path === '/forged' ? `${cookie}x` : cookie)) ?? cookie
        }
      }
    })
  )
  time += 2 * hour
  await sessions.prune()
  // A sweep removes entries of the index of owners only if it has removed their records before.
  await sessions.prune()
  globalThis.gc!()
  await new Promise((resolve) => setTimeout(resolve, 50))
  globalThis.gc!()
  heaps.push(process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers)
}
agent.destroy()
server.close()
await sessions.close()
process.send!(heaps)
process.disconnect()

/** Makes a request and answers the new cookie, if there is one. */
function ask(path: string, cookie: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent, port, host: '127.0.0.1', path, headers: { cookie } }, (response) => {
      response.resume()
      response.once('end', () => resolve(response.headers['set-cookie']?.[0]?.split(';')[0]))
      response.once('error', reject)
    })
    sent.once('error', reject)
    sent.end()
  })
}
