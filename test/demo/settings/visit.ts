import type { ExecutionContext } from 'ava'
import type { SettingName } from '../../../src/settings/names.js'
import { Client, type Answer } from '../../support/client.js'
import { Guest, startDemo, type Demo } from '../../support/demo.js'
import { idOf } from '../../support/events.js'
import { until } from '../../support/redis.js'

/** One setting of a demo, and a check of its effect. */
export type Row = readonly [name: SettingName, value: string, effect: string, holds: (visit: Visit, t: ExecutionContext) => unknown]

/** A demo whose settings are these rows, and somebody who has logged in there and counted to 1. */
export interface Visit {
  readonly demo: Demo
  readonly guest: Guest
  /** The `Set-Cookie` header with which the visitor's session began. */
  readonly setCookie: string
  /** The cookie's value after the login. */
  readonly cookie: string
  /** The id of the record after the login. */
  readonly id: string
}

/** The name of the cookie unless a row changes it. */
const defaultName = 'session'

/** Starts a demo with the settings of the rows, logs in and checks every row. */
export async function checkRows(t: ExecutionContext, rows: readonly Row[]): Promise<void> {
  const env = Object.fromEntries(rows.map(([name, value]) => [name, value]))
  const visit = await startVisit(t, { SECRET_KEY: 'x'.repeat(43), ...env })
  for (const [name, value, effect, holds] of rows) {
    try {
      await holds(visit, t)
    } catch (error) {
      t.log(`not so: ${name}=${value}: ${effect}`)
      throw error
    }
  }
  t.is((await visit.demo.stop()).code, 0)
}

export async function startVisit(t: ExecutionContext, env: Record<string, string>): Promise<Visit> {
  const demo = await startDemo(t, env)
  // A browser behind a proxy that ends TLS, so that it keeps the cookies of every setting.
  const guest = new Guest(new Client(demo.origin, { host: 'www.demo.example', https: true }))
  const { setCookie } = await answered(() => guest.get('/login'))
  t.is(setCookie.length, 1)
  await answered(() => guest.login({ remember: 'yes' }))
  await answered(() => guest.send('/count'))
  t.is(await guest.count(), 1)
  const cookie = guest.client.cookie(env['SESSION_COOKIE_NAME'] ?? defaultName)!
  return { demo, guest, setCookie: setCookie[0]!, cookie, id: idOf(cookie) }
}

/** Repeats a request while its answer is 503: the demo's timeouts are short, and slowness on a busy machine is no failure. */
export async function answered(send: () => Promise<Answer>): Promise<Answer> {
  let answer: Answer | undefined
  await until('the demo answers', async () => (answer = await send()).status !== 503)
  return answer!
}
