import { hash } from 'node:crypto'
import type { MemcachedClient } from './client.js'

/** The client of the node that keeps an id. */
export type ClientOf = (id: string) => MemcachedClient

/**
 * Distributes ids over nodes by rendezvous hashing: the node whose name together with the id has the highest hash keeps the id.
 *
 * So a node that is added takes over only its own share of the ids, and the order of the nodes does not matter. Nothing is taken over
 * from a node that fails: two nodes that both keep an id would bring a logged-out session back.
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

/** Hexadecimal digits, which compare like numbers. */
function score(name: string, id: string): string {
  return hash('sha256', `${name} ${id}`)
}
