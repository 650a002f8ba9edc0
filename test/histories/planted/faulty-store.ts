import { setImmediate } from 'node:timers/promises'
import { createWriter, isGone, isListed, isLive, type Recipe, type SessionRecord, type SessionStore } from '../../../src/store/index.js'
import type { ViolationKind } from '../model/violation.js'

/** A correct store in this process, or one with a fault. It yields between its steps, so that calls overlap. */
export function faultyStore(fault: ViolationKind | undefined, now: () => number): SessionStore {
  /** Every state that each session has had. */
  const states = new Map<string, SessionRecord[]>()
  const ended = new Set<string>()
  const writer = createWriter()
  let chances = 0
  /** Only some calls go wrong: a store that is wrong each time is easily found. */
  const goesWrong = (kind: ViolationKind): boolean => fault === kind && chances++ % 4 === 3
  const findLast = (id: string): SessionRecord | undefined => states.get(id)?.at(-1)
  const findFormer = (id: string): SessionRecord | undefined => states.get(id)?.at(-2)

  /** The record that an update or a removal begins with. */
  function find(id: string): SessionRecord | undefined {
    const last = findLast(id)
    return last && !ended.has(id) && !isGone(last, now()) ? last : undefined
  }

  async function update(id: string, recipe: Recipe): Promise<SessionRecord | null | undefined> {
    for (;;) {
      const current = find(id) ?? (goesWrong('resurrection') ? findLast(id) : undefined)
      if (!current) return undefined
      await setImmediate()
      let made = recipe(current)
      const times = made && goesWrong('double application') ? 2 : 1
      if (made && times === 2) made = recipe({ ...made, rev: current.rev + 1 })
      await setImmediate()
      const isUnchanged = findLast(id) === current && (!ended.has(id) || fault === 'resurrection')
      if (!isUnchanged && !goesWrong('lost update')) continue
      if (!made) {
        ended.add(id)
        return null
      }
      ended.delete(id)
      const next = { ...made, rev: current.rev + times, write: writer.next(current.write) }
      states.get(id)!.push(next)
      return goesWrong('phantom write') ? undefined : next
    }
  }

  async function* list(owner?: string): AsyncGenerator<SessionRecord> {
    await setImmediate()
    for (const id of states.keys()) {
      const record = find(id)
      if (record && isListed(record, now(), owner) && !goesWrong('wrong listing')) yield record
    }
  }

  return {
    async read(id) {
      await setImmediate()
      const [present, former] = [find(id), findFormer(id)]
      if (present && former && goesWrong('stale read')) return former
      if (present && former && goesWrong('torn record')) return { ...present, data: { ...present.data, text: former.data['text']! } }
      if (fault === 'expired record' && !ended.has(id)) return findLast(id)
      return present && isLive(present, now()) ? present : undefined
    },
    async create(id, record) {
      await setImmediate()
      if (states.has(id)) return false
      states.set(id, [record])
      if (goesWrong('lost record')) ended.add(id)
      return true
    },
    update,
    async destroy(id) {
      const last = find(id)
      ended.add(id)
      await setImmediate()
      return (last && goesWrong('wrong last state') && findFormer(id)) || last
    },
    records: () => list(),
    ownedBy: (owner) => list(owner)
  }
}
