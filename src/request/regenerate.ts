import { applyChanges, type Changes, type Data } from './draft.js'
import type { SessionRecord } from './store.js'

/** The calls of the store that it takes. */
interface Steps<Made> {
  /** Stores a record like the given one, with other data, under a new sid. */
  readonly create: (like: SessionRecord, data: Data) => Promise<Made>
  /** Answers the last state, or `undefined` when there was none. */
  readonly destroy: (id: string) => Promise<SessionRecord | undefined>
}

/**
 * Puts a new record in the place of an old one, with this request's changes.
 *
 * The new record is created before the old one is destroyed, so that a crash between leaves the old session whole and a new
 * one that nobody can reach. What `destroy` answers decides what the new one may keep: what another request committed
 * meanwhile is carried along, and of a session that was gone already nothing comes back but what this request set.
 *
 * @returns what was made, `undefined` when there is nothing to keep; and the old record's last state, `undefined` when it
 * was gone already.
 */
export async function regenerate<Made extends { readonly record: SessionRecord }>(
  old: SessionRecord,
  changes: Changes,
  { create, destroy }: Steps<Made>
): Promise<{ made: Made | undefined; last: SessionRecord | undefined }> {
  const expected = applyChanges(changes, old.data)
  const first = expected ? await create(old, expected) : undefined
  let last: SessionRecord | undefined
  let made: Made | undefined
  try {
    last = await destroy(old.id)
    const data = last?.rev === old.rev ? expected : applyChanges(changes, last?.data ?? {})
    if (data) made = data === expected ? first : await create(last ?? old, data)
  } finally {
    // Nobody knows its sid: should it stay, it expires by itself.
    if (first && first !== made) await destroy(first.record.id).catch(() => undefined)
  }
  return { made, last }
}
