import type { Report } from './check-report.js'
import { collectCorrupt } from './collect-corrupt.js'
import { listingOf, type Opened } from './open-store.js'
import { sessions } from './text.js'

/** Reads every session of a store and looks whether the index of owners lists those that have an owner. */
export async function checkListing(opened: Opened, report: Report): Promise<void> {
  const { result, corrupt } = await collectCorrupt(() => readAll(opened))
  const { live, owners } = result
  for (const [id, reason] of corrupt) await report.problem('corrupt', id, reason)
  let owned = 0
  for (const [owner, ids] of owners) {
    owned += ids.size
    if (!opened.store.ownedBy) continue
    for await (const { id } of listingOf(opened, owner)) ids.delete(id)
    for (const id of ids) {
      // It may have ended since it was listed.
      const record = await opened.store.read(id)
      if (record?.owner !== owner || record.moved) continue
      await report.problem('index', id, 'the index of owners does not list it, so that its owner cannot end it from another device: end it, or let its user log in again')
    }
  }
  report.note(`${sessions(live)}, ${owned} of them of users who are logged in`)
}

async function readAll(opened: Opened): Promise<{ live: number; owners: Map<string, Set<string>> }> {
  const owners = new Map<string, Set<string>>()
  let live = 0
  for await (const { id, owner } of listingOf(opened)) {
    live++
    if (owner === undefined) continue
    const ids = owners.get(owner)
    if (ids) ids.add(id)
    else owners.set(owner, new Set([id]))
  }
  return { live, owners }
}
