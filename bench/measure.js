import { startBackend } from './backends.js'
import { VariantServer } from './variant-server.js'
import { variants } from './variants/index.js'

/**
 * One round of variants that share a store: a server process of each, all of them warm, then `turns` windows of each kind of request, one at
 * a time and in random order.
 *
 * Answers by name: by kind the server's CPU µs a request and requests a second, its resident memory in bytes, and how many writes were lost.
 */
export async function measure(names, plan) {
  const { turns = 1 } = plan
  const backend = await startBackend(names.map((name) => variants[name].store).find(Boolean))
  const servers = names.map((name) => new VariantServer(name, plan))
  try {
    for (const server of servers) await server.start(backend && { url: backend.url })
    const windows = servers.map(({ kinds }) => Object.fromEntries(kinds.map((kind) => [kind, []])))
    for (let turn = 1; turn <= turns; turn++) {
      const order = servers.flatMap((server, at) => server.kinds.map((kind) => ({ server, kind, list: windows[at][kind] })))
      for (const { server, kind, list } of shuffled(order)) list.push(await server.window(kind))
    }
    const results = []
    for (const [at, server] of servers.entries()) {
      const costs = Object.entries(windows[at]).map(([kind, list]) => [kind, costOf(list)])
      results.push([names[at], { ...Object.fromEntries(costs), memory: await server.memory(), lost: await server.lost() }])
    }
    return Object.fromEntries(results)
  } finally {
    for (const server of servers) await server.stop()
    await backend?.stop()
  }
}

/** All windows together: a collection of garbage in one of them is a part of what all of them cost. */
function costOf(windows) {
  const sum = (of) => windows.reduce((total, window) => total + of(window), 0)
  const count = sum((window) => window.count)
  return { cpu: sum(({ cpu }) => cpu) / count, perSecond: count / sum(({ seconds }) => seconds) }
}

export function shuffled(list) {
  const result = [...list]
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1))
    ;[result[last], result[other]] = [result[other], result[last]]
  }
  return result
}
