import { hash } from 'node:crypto'
import type { MemcachedClient } from './client.js'

/** The client of the node that keeps an id. */
export type ClientOf = (id: string) => MemcachedClient

/**
 * Distributes ids over nodes by rendezvous hashing: the node whose name together with the id has the highest hash keeps the id.
 *
 * So a new node takes over only its own share of the ids, and the order of the nodes does not matter. No other node takes over the ids of a
 * node that fails: if two nodes kept one id, a logged-out session could come back.
 */
export function distribute(nodes: ReadonlyMap<string, MemcachedClient>): ClientOf {
  const [first, ...others] = nodes
  if (!first) throw new TypeError('no nodes to distribute sessions over')
  const [firstName, firstClient] = first
  if (others.length === 0) return () => firstClient
  return (id) => {
    let client = firstClient
    let highest = score(firstName, id)
    for (const [name, other] of others) {
      const its = score(name, id)
      if (its <= highest) continue
      highest = its
      client = other
    }
    return client
  }
}

/** The score of a node for an id, in hexadecimal digits, which compare like numbers. */
function score(name: string, id: string): string {
  return hash('sha256', `${name} ${id}`)
}
