import { Application, requests } from './application.js'
import { cpuOf } from './cpu.js'
import { repeat } from './repeat.js'

/** A refresh is due after the middleware's `touchAfter`, a minute. In milliseconds. */
const pastTouchAfter = 61_000

/**
 * Measures the cost of requests to an application: round trips, commands and bytes on the network for each kind, bytes of the log, and the server's CPU
 * µs under load.
 */
export async function traffic(stage, { session }) {
  const { subject, plan } = stage
  const application = new Application(session, subject.store)
  await application.start()
  try {
    // Scripts are loaded, connections are made.
    await oneOfEach(application)
    let cookies = await sendAll(application, 'new session', Array.from({ length: plan.samples }))
    const counted = {}
    for (const kind of requests) {
      const given = kind === 'no cookie' || kind === 'new session' ? cookies.map(() => undefined) : cookies
      const before = await snapshot(stage)
      const after = await sendAll(application, kind, given)
      counted[kind] = difference(before, await snapshot(stage), plan.samples)
      if (kind === 'login') cookies = after
    }
    const log = subject.log && (await logged(subject, application, cookies.length))
    const cpu = subject.hasCost ? await underLoad(stage, application) : undefined
    const end = subject.store.records && (await endingAll(stage, application))
    return { requests: counted, ...(log && { log }), ...(cpu && { cpu }), ...(end && { end }) }
  } finally {
    await application.stop()
  }
}

async function oneOfEach(application) {
  let [cookie] = await sendAll(application, 'new session', [undefined])
  for (const kind of ['read', 'refresh', 'save', 'login', 'logout']) [cookie] = await sendAll(application, kind, [cookie])
}

/** One request after the other. Returns the cookies afterwards. */
async function sendAll(application, kind, cookies) {
  const after = []
  for (const cookie of cookies) {
    if (kind === 'refresh') application.ahead += pastTouchAfter
    after.push(await application.send(kind, cookie))
  }
  return after
}

/** Bytes of the log for each save and each refresh; and for each save right after a checkpoint, when PostgreSQL logs whole pages. */
async function logged({ log, checkpoint }, application, count) {
  const cookies = await sendAll(application, 'new session', Array.from({ length: count }))
  const perRequest = async (kind, before = async () => undefined) => {
    let sum = 0
    for (const cookie of cookies) {
      await before()
      const start = await log()
      await sendAll(application, kind, [cookie])
      sum += (await log()) - start
    }
    return sum / count
  }
  // The pages of these sessions are logged as a whole here, so that they are not below.
  await perRequest('save')
  const measured = { save: await perRequest('save'), refresh: await perRequest('refresh') }
  return checkpoint ? { ...measured, 'save after a checkpoint': await perRequest('save', checkpoint) } : measured
}

/** The server's CPU µs for each request, with many requests in flight. */
async function underLoad({ pid, plan }, application) {
  const cookies = []
  await repeat(plan.samples, async () => cookies.push(await application.send('new session')))
  const cpu = {}
  for (const kind of ['read', 'save', 'login']) {
    const before = cpuOf(pid)
    if (before === undefined) return undefined
    await repeat(plan.load, (number) => application.send(kind, kind === 'login' ? undefined : cookies[number % cookies.length]))
    cpu[kind] = (cpuOf(pid) - before) / plan.load
  }
  return cpu
}

/** Measures the cost of listing all sessions and ending each, divided by their number. */
async function endingAll(stage, application) {
  const cpu = cpuOf(stage.pid)
  const before = await snapshot(stage)
  let count = 0
  const start = performance.now()
  for await (const { id } of application.sessions.all()) if (await application.sessions.end(id)) count++
  const ms = (performance.now() - start) / count
  return { ...difference(before, await snapshot(stage), count), ms, ...(cpu !== undefined && { cpu: (cpuOf(stage.pid) - cpu) / count }) }
}

async function snapshot({ subject, proxy }) {
  return { commands: await subject.counts(), ...proxy?.counts }
}

function difference(before, after, count) {
  const { commands: first, ...bytes } = before
  const { commands: last } = after
  const each = (from, to) => Object.fromEntries(Object.keys(to).map((name) => [name, (to[name] - (from[name] ?? 0)) / count]).filter(([, value]) => value > 0))
  return { ...each(bytes, Object.fromEntries(Object.keys(bytes).map((name) => [name, after[name]]))), commands: each(first, last) }
}
