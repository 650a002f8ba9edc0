import fs, { type Stats } from 'node:fs'
import { SessionError } from '../../errors.js'
import { hasCode, makeDirectory } from './fs-calls.js'

/** The bits of a mode that let the group and everybody write. */
const writableByOthers = 0o022

/** Whether a file belongs to a user who is neither this process' nor root, who can do everything anyway. */
export function isForeign({ uid }: Stats): boolean {
  // Asked each time, because a process may give up its rights. Windows has no such ids.
  const own = process.geteuid?.()
  return own !== undefined && uid !== own && uid !== 0
}

/** The directory of a store, which must be safe from other users: they could plant sessions, or remove them. */
export class Directory {
  readonly path: string
  #isChecked = false

  constructor(path: string) {
    this.path = path
  }

  /**
   * Checks the directory if it has not been checked since it was made. A directory that is missing is in order.
   *
   * @throws SessionError `ERR_SESSION_STORE` that says how to put it right.
   */
  async check(): Promise<void> {
    if (this.#isChecked) return
    let stats
    try {
      stats = await fs.promises.stat(this.path)
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return
      throw error
    }
    if (isForeign(stats)) {
      throw unsafe(`${this.path} belongs to another user (uid ${stats.uid}): give it to the user that runs this process, with \`chown ${process.geteuid?.()}\``)
    }
    if (process.platform !== 'win32' && (stats.mode & writableByOthers) !== 0) {
      throw unsafe(`other users may write to ${this.path} (mode ${(stats.mode & 0o777).toString(8)}): take that right from them, with \`chmod go-w\``)
    }
    this.#isChecked = true
  }

  /** Makes the directory, which was found missing. */
  async make(): Promise<void> {
    this.#isChecked = false
    await makeDirectory(this.path)
    await this.check()
  }
}

function unsafe(flaw: string): SessionError {
  return new SessionError('ERR_SESSION_STORE', `the session store refuses its directory, because ${flaw}, or choose another \`dir\``)
}
