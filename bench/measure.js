import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Clients, load } from './load.js'
import { startRedis, startServer } from './process.js'
import { variants } from './variants/index.js'
import { kinds as allKinds } from './work.js'

/**
 * One round of one variant: a fresh process, sessions, two warm-ups with every kind of request, then each kind measured.
 * Answers, by kind, the server's CPU µs a request and requests a second; its resident memory with the sessions held; and
 * how many writes were lost.
 *
 * Until it has been warm for a while, a server also pays for its compiler, which works in threads of its own: that would be
 * counted as the cost of whoever has more code.
 *
 * `kinds` are the kinds of request, all by default; with `cookiesFrom` clients send what it makes of their cookies, and
 * keep none that they are sent.
 *
 * The collector is not asked to run before a window: a forced collection throws compiled code away, after which bare Koa
 * costs five times as much.
 */
export async function measure(variant, plan) {
  const { requests, warmUp, newShare = 1, sessions, connections, seconds, profileTo, settings, kinds = allKinds, cookiesFrom } = plan
  const dir = await mkdtemp(join(plan.dir, 'bench-sessions-'))
  const redis = variants[variant].store === 'redis' ? await startRedis(dir) : undefined
  let server
  try {
    server = await startServer(variant, { dir, redisPort: redis?.port, ...settings })
    const { port } = server
    const clients = new Clients(sessions)
    const strangers = new Clients(1)
    const run = (kind, total) => {
      const who = kind === 'none' || kind === 'new' ? strangers : clients
      return load({
        port,
        total: kind === 'new' ? total * newShare : total,
        shared: who.count,
        seconds,
        connections,
        requestOf: (number) => who.request(number, `/${kind}`),
        answered: (number, { head }) => who === clients && !cookiesFrom && clients.keep(number, head)
      })
    }

    const hasSessions = await open(port, clients, connections)
    if (cookiesFrom) clients.headers = clients.headers.map(cookiesFrom)
    let expected = sessions
    for (const kind of [...kinds, ...kinds]) {
      const { count } = await run(kind, warmUp)
      if (kind === 'write') expected += count
    }

    const result = {}
    for (const kind of kinds) {
      if (profileTo) await server.tell('profile')
      const before = await server.tell('usage')
      const window = await run(kind, requests)
      const after = await server.tell('usage')
      if (profileTo) await server.tell('profiled', join(profileTo, `${variant.replaceAll('/', '-')}-${kind}.cpuprofile`))
      const cpu = after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system
      result[kind] = { cpu: cpu / window.count, perSecond: window.count / window.seconds }
      if (kind !== 'write') continue
      expected += window.count
      result.memory = after.memory
    }
    if (hasSessions && kinds === allKinds) result.lost = expected - (await visits(port, clients, connections))
    return result
  } finally {
    await server?.stop()
    await redis?.stop()
    await rm(dir, { recursive: true })
  }
}

/** Opens a session for each client; `false`: the variant has none. */
async function open(port, clients, connections) {
  let opened = 0
  await load({
    port,
    total: clients.count,
    connections,
    requestOf: (number) => clients.request(number, '/new'),
    answered(number, { head }) {
      if (/\r\nset-cookie: /i.test(head)) opened++
      clients.keep(number, head)
    }
  })
  if (opened === clients.count) return true
  if (opened > 0) throw new Error(`only ${opened} of ${clients.count} sessions were opened`)
  // What a browser sends to an application without sessions: somebody else's cookie of the usual size.
  clients.headers.fill(`Cookie: session=${'x'.repeat(43)}.${'x'.repeat(43)}\r\n`)
  return false
}

/** What the sessions counted, all together: each write must be there. */
async function visits(port, clients, connections) {
  let sum = 0
  await load({
    port,
    total: clients.count,
    connections,
    requestOf: (number) => clients.request(number, '/visits'),
    answered: (_, { body }) => (sum += Number(body))
  })
  return sum
}
