import { hash } from 'node:crypto'
import { sessionData } from '../work.js'
import { repeat } from './repeat.js'

const hour = 3_600_000
/** How often every session is saved before the size is measured again: databases keep old rows for a while. */
const rewrites = 3
/** The share of dead rows at which PostgreSQL's autovacuum begins by default. */
const vacuumAt = 0.2

/**
 * Bytes of a session in a store that holds many: new ones, and in databases also after each was changed several times. And this process' CPU µs
 * for a change.
 */
export async function sizes({ store, size, vacuum }, { records, perOwner }, { createMark }) {
  await repeat(records, (number) => store.create(idOf(number), recordOf(idOf(number), `owner-${Math.floor(number / perOwner)}`, createMark)))
  const perSession = async () => Object.fromEntries(Object.entries(await size()).map(([what, total]) => [what, total / records]))
  const fresh = await perSession()
  // In an order that is not the one in which the sessions were created.
  const pick = (number) => idOf((number * 7919) % records)
  const batch = Math.round(records * vacuumAt)
  const isDatabase = fresh.indexes !== undefined
  const rounds = isDatabase ? rewrites : vacuumAt
  const start = process.cpuUsage()
  for (let done = 0; done < rounds * records; done += batch) {
    await repeat(batch, (number) => store.update(pick(done + number), (record) => ({ ...record, expires: record.expires + done })))
    await vacuum?.()
  }
  const { user, system } = process.cpuUsage(start)
  return { fresh, updateCpu: (user + system) / (rounds * records), ...(isDatabase && { used: await perSession() }) }
}

function idOf(number) {
  return hash('sha256', `session ${number}`)
}

function recordOf(id, owner, createMark) {
  const now = Date.now()
  const data = JSON.parse(JSON.stringify(sessionData()))
  return { rev: 1, write: createMark(), id, created: now, used: now, expires: now + 31 * 24 * hour, permanent: true, owner, data }
}
