import { createMark, markOf, type SessionRecord } from '../record/index.js'

/*
 * A record that was copied from another store says so in its field `copied`. The application's updates keep the field, as they keep every
 * field that they do not know, and raise `rev`. So a later copy can see whether the application has changed the session since, and which
 * state of it was copied. Every store keeps the field, and no store needs to know about it.
 */

/** The origin of a copied record, in its field `copied`. */
export interface Origin {
  /** The state of the record in the source that was copied (see `stateOf`). */
  readonly from: string
  /** The `rev` of the copy in the target. If the record has another one, the target's application has changed the session since. */
  readonly rev: number
  /** When the copying began that wrote this copy, in milliseconds since the epoch. */
  readonly at: number
}

/** The state of a record, as text: no other state of any record has the same one. */
export function stateOf(record: SessionRecord): string {
  return `${record.rev} ${markOf(record)}`
}

/** The origin of a record. `undefined`: it is not a copy. */
export function originOf(record: SessionRecord): Origin | undefined {
  const { copied } = record as { copied?: unknown }
  if (typeof copied !== 'object' || copied === null) return undefined
  const { from, rev, at } = copied as { [Name in keyof Origin]?: unknown }
  return typeof from === 'string' && typeof rev === 'number' && typeof at === 'number' ? { from, rev, at } : undefined
}

/** Reports whether a record is a copy that nobody has changed since it was written. */
export function isUntouchedCopy(record: SessionRecord): boolean {
  return originOf(record)?.rev === record.rev
}

/**
 * Makes the copy of a record, for `create` of another store (with `rev` 1) or as the result of a recipe (with the next `rev`).
 *
 * @param at when the copying began, in milliseconds since the epoch.
 */
export function copyOf(source: SessionRecord, rev: number, at: number): SessionRecord {
  const copied: Origin = { from: stateOf(source), rev, at }
  return Object.assign({}, source, { rev, write: createMark(), copied })
}
