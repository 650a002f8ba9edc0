import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBackend } from '../backends.js'
import { growSessions } from '../work.js'
import { Application } from './application.js'
import { CountingProxy } from './proxy.js'
import { sizes } from './sizes.js'
import { stores } from './stores/index.js'
import { traffic } from './traffic.js'

/**
 * Measures one store: bytes of a session, this process' CPU µs for an update, and for each request round trips, commands, bytes on the
 * network, bytes of the log and the server's CPU µs.
 *
 * @param plan.records how many sessions the store holds. `plan.samples`: how many requests of each kind are counted. `plan.load`: how many
 * requests the CPU is measured over. `plan.bytes`: the size of a session's data.
 */
export async function measure(name, plan, library) {
  if (plan.bytes > 0) growSessions(plan.bytes)
  const dir = await mkdtemp(join(tmpdir(), 'scale-'))
  const backend = await startBackend(name)
  const proxy = backend && new CountingProxy()
  try {
    const port = backend && Number(backend.url.split(':').pop().split('/')[0])
    const proxied = backend?.url.replace(`:${port}`, `:${await proxy.start(port)}`)
    const subject = await stores[name]({ url: backend?.url, proxied, dir, library })
    try {
      return { ...(await sizes(subject, plan, library)), ...(await traffic({ subject, proxy, plan, pid: backend?.pid }, library)) }
    } finally {
      await subject.store.close()
      await subject.close()
    }
  } finally {
    await proxy?.stop()
    await backend?.stop()
    await rm(dir, { recursive: true, force: true })
  }
}

/** The length of the cookie that holds a session. */
export async function measureCookie({ session, cookieStore }) {
  const application = new Application(session, cookieStore())
  await application.start()
  try {
    return { cookie: (await application.send('new session')).length }
  } finally {
    await application.stop()
  }
}
