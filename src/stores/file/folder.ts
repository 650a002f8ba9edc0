import { randomUUID } from 'node:crypto'
import { emit } from '../../events.js'
import { readRecord } from '../../record.js'
import type { SessionRecord } from '../../store.js'
import { hasCode, ignore, lstat, makeDirectory, pause, readText, rename, syncDirectory, writeNew, type Writing } from './io.js'
import type { Names } from './names.js'
import type { Stamp } from './stamp.js'
import { createTexts } from './texts.js'

/** What stands under an id, whether it lives or not. */
export type Reading = { record: SessionRecord } | { corrupt: string } | undefined

/** The records of one prefix in one directory, as files: reading and making them, without any exclusion. */
export interface Folder {
  readonly names: Names
  /** Anything but a record counts as nothing, is told as an event and is moved out of the way. */
  read(id: string): Promise<SessionRecord | undefined>
  /** Tells what this process put there, which saves it the next read. */
  wrote(id: string, text: string, stamp: Stamp): void
  /** The newest revision that this process remembers, 0 for none. */
  knownRev(id: string): number
  /** Looks without touching. */
  look(id: string): Promise<Reading>
  /** Writes a record that must not be there; makes the directory when it is missing. `false`: there is a file. */
  add(id: string, text: string, stamp: Stamp): Promise<boolean>
  /** Keeps what is not a record under another name. `false`: it is one after all, or gone. */
  moveAside(id: string, reason: string): Promise<boolean>
}

// A new record is written in place, and looks torn until that is done. Only the process that makes it knows its id, but
// a listing of the directory can come across it.
const settling = [2, 10, 40]
const young = 2000

export function createFolder(names: Names, writing: Writing): Folder {
  const texts = createTexts()

  /** By a look at the file's times, if that is enough. */
  async function recall(id: string): Promise<SessionRecord | undefined> {
    const text = texts.recall(id, await lstat(names.record(id)).catch(ignore('ENOENT')))
    return text === undefined ? undefined : (JSON.parse(text) as SessionRecord)
  }

  const folder: Folder = {
    names,

    async look(id) {
      const found = await readText(names.record(id))
      const reading = found && 'text' in found ? readRecord(found.text, id) : found
      if (found && 'text' in found && reading && 'record' in reading) texts.remember(id, found.text, reading.record)
      else texts.forget(id)
      return reading
    },

    wrote: (id, text, stamp) => texts.remember(id, text, stamp),
    knownRev: (id) => texts.knownRev(id),

    async read(id) {
      const known = texts.has(id) ? texts.knownRev(id) : 0
      const recalled = known > 0 ? await recall(id) : undefined
      if (recalled) return recalled
      let reading = await folder.look(id)
      if (known > 0 && known === texts.knownRev(id)) texts.missed()
      for (const delay of settling) {
        if (!reading || 'record' in reading) return reading?.record
        if (!(await isYoung(names.record(id)))) break
        await pause(delay)
        reading = await folder.look(id)
      }
      if (reading && 'record' in reading) return reading.record
      if (reading) await folder.moveAside(id, reading.corrupt)
      return undefined
    },

    async add(id, text, stamp) {
      const path = names.record(id)
      try {
        await writeNew(path, text, stamp, writing).catch(async (error: unknown) => {
          if (!hasCode(error, 'ENOENT')) throw error
          await makeDirectory(names.dir)
          await writeNew(path, text, stamp, writing)
        })
      } catch (error) {
        if (hasCode(error, 'EEXIST')) return false
        throw error
      }
      if (writing.sync) await syncDirectory(names.dir)
      return true
    },

    async moveAside(id, reason) {
      try {
        await rename(names.record(id), names.aside(id, randomUUID()))
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return false
        // The client has no session whether or not the file could be moved: it stays, and is told of again.
        if (!hasCode(error, 'EACCES', 'EPERM', 'EROFS', 'ENOSPC')) throw error
      }
      emit({ type: 'corrupt', id, reason })
      return true
    }
  }
  return folder
}

async function isYoung(path: string): Promise<boolean> {
  try {
    // Not mtime, which says when the record expires.
    return Date.now() - (await lstat(path)).ctimeMs < young
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}
