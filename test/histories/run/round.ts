import type { SessionRecord } from '../../../src/store/index.js'
import { monotonicTime, timeAt, type Clock, type Kind } from '../model/history.js'
import { Client, type Access } from './client.js'
import { Random } from './random.js'
import type { Recorder } from './recorder.js'

/** A session of a round. */
export interface Planned {
  readonly name: string
  /**
   * `plain`: it has long to live, and may be ended. `brief`: its deadline is near. `kept`: it is never ended, and everybody tries to create it.
   */
  readonly type: 'plain' | 'brief' | 'kept'
  /** The worker that creates it: its number in the round. */
  readonly creator: number
}

/** What a worker does in one round. */
export interface Order {
  readonly seed: string
  /** The number of this worker in the round. */
  readonly worker: number
  readonly sessions: readonly Planned[]
  /** How many clients run at once, and how many operations each of them makes. */
  readonly clients: number
  readonly operations: number
  /** How many sessions are created beside them, without an owner and never to be used again: a part of the operations, from 0 to 1. */
  readonly visitors: number
}

const owners = ['kim', 'lin', 'momo']

/** Times to live in milliseconds of the clocks. */
const longLife = 30 * 24 * 3_600_000
const shortLife = { least: 60_000, most: 300_000 }

/** How many sessions are in use at once. */
const window = 3

const weights: { readonly [Name in Exclude<Kind, 'create'>]: number } = { read: 32, update: 48, move: 0.3, refuse: 4, remove: 0.6, destroy: 0.6, list: 6 }

/** Makes the operations of a round. `onOperation` is called when one has begun. */
export async function playRound(order: Order, accesses: readonly Access[], recorder: Recorder, nextId: () => string, onOperation?: () => void): Promise<void> {
  const remembered = new Map<string, SessionRecord[]>()
  const perform = async (client: Client, access: Access, { kind, ...details }: Chosen, seen?: SessionRecord): Promise<void> => {
    const performing = client.perform(access, kind, details, seen)
    onOperation?.()
    if (!(await performing)) await client.waitForAnswer(access)
  }
  const clients = Array.from({ length: order.clients }, async (_, number) => {
    const client = new Client(recorder, nextId, remembered)
    const random = new Random(`${order.seed} worker ${order.worker} client ${number}`)
    for (const session of number === 0 ? order.sessions : []) {
      if (session.type === 'kept' || session.creator !== order.worker) continue
      const access = random.pick(accesses)
      await perform(client, access, create(random, access, session))
    }
    for (let at = 0; at < order.operations; at++) {
      const access = random.pick(accesses)
      // Everybody works on the same few sessions at about the same time.
      const first = Math.floor((at / order.operations) * order.sessions.length)
      const session = order.sessions[Math.min(first + random.below(window), order.sessions.length - 1)]!
      if (random.chance(order.visitors)) {
        await perform(client, access, visit(order.seed, nextId(), access))
      } else if (session.type === 'kept' && (!remembered.has(session.name) || random.chance(0.03))) {
        await perform(client, access, create(random, access, session))
      } else if (access.store.prune && random.chance(0.01)) {
        await access.store.prune().catch(() => 0)
      } else {
        const seen = random.chance(0.7) ? client.recall(session.name, (records) => (random.chance(0.7) ? records.at(-1)! : random.pick(records))) : undefined
        await perform(client, access, choose(random, access, session), seen)
      }
    }
  })
  await Promise.all(clients)
}

/** Ends the sessions of a round, and looks at each of them before and after. */
export async function finishRound(sessions: readonly Planned[], access: Access, recorder: Recorder, nextId: () => string): Promise<void> {
  const client = new Client(recorder, nextId, new Map())
  await client.waitForAnswer(access)
  const list = async (): Promise<void> => {
    if (access.store.records) await client.perform(access, 'list', {})
    if (access.store.ownedBy) for (const owner of owners) await client.perform(access, 'list', { owner })
  }
  await list()
  for (const { name, type } of sessions) {
    await client.perform(access, 'read', { session: name })
    // A killed process may still be about to create it.
    if (type === 'kept') continue
    await client.perform(access, 'destroy', { session: name })
    await client.perform(access, 'read', { session: name })
  }
  await list()
}

interface Chosen {
  readonly kind: Kind
  readonly session?: string
  readonly owner?: string
  readonly expires?: number
}

function create(random: Random, { clock }: Access, { name: session, type }: Planned): Chosen {
  const hasOwner = type === 'kept' || random.chance(0.5)
  return { kind: 'create', session, expires: deadline(random, clock, type), ...(hasOwner && { owner: random.pick(owners) }) }
}

function visit(seed: string, id: string, { clock }: Access): Chosen {
  return { kind: 'create', session: `${seed} visitor ${id}`, expires: timeAt(clock, monotonicTime()) + longLife }
}

function choose(random: Random, { store, clock }: Access, { name: session, type }: Planned): Chosen {
  const kind = random.weighted(type === 'kept' ? { ...weights, move: 0, remove: 0, destroy: 0 } : weights)
  switch (kind) {
    case 'update': {
      const moves = random.chance(type === 'brief' ? 0.5 : 0.1)
      return { kind, session, ...(random.chance(0.15) && { owner: random.pick(owners) }), ...(moves && { expires: deadline(random, clock, type) }) }
    }
    case 'move':
      return { kind, session, expires: deadline(random, clock, type) }
    case 'list': {
      const owner = random.chance(0.6)
      if (owner ? !store.ownedBy : !store.records) return { kind: 'read', session }
      return { kind, ...(owner && { owner: random.pick(owners) }) }
    }
    default:
      return { kind, session }
  }
}

function deadline(random: Random, clock: Clock, type: Planned['type']): number {
  const lifetime = type === 'brief' ? shortLife.least + random.below(shortLife.most - shortLife.least) : longLife
  return timeAt(clock, monotonicTime()) + lifetime
}
