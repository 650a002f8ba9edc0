import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { createMark, originOf, type Origin, type SessionRecord, type SessionStore } from '../store/index.js'

/** The least time for which a note is kept, in milliseconds. */
const leastTime = 60_000

/**
 * The note that a complete copying leaves in the target. By it, later copies know that what is missing there was brought and has ended.
 *
 * It is a marker under an id that no sid has. So every store can keep it, no listing shows it, and no cookie opens it.
 */
export class CopyNote {
  readonly #target: SessionStore
  readonly #id: string

  /** @param from names the source. Files of the same path on two machines are two sources, so the name of the machine counts too. */
  constructor(target: SessionStore, from: string) {
    this.#target = target
    this.#id = createHash('sha256').update(`koa-keepsake copy\n${hostname()}\n${from}`).digest('hex')
  }

  /** When the latest complete copying from this source began, in milliseconds since the epoch. `undefined`: none is known. */
  async read(): Promise<number | undefined> {
    const note = await this.#target.read(this.#id)
    return note && originOf(note)?.at
  }

  /**
   * @param began when the copying began, in milliseconds since the epoch.
   * @param until the latest deadline of what was copied. After it, nobody needs the note.
   */
  async write(began: number, until: number): Promise<void> {
    const noteOf = (rev: number): SessionRecord => {
      const copied: Origin = { from: '', rev, at: began }
      const note = { rev, write: createMark(), id: this.#id, created: began, used: began, expires: Math.max(until, Date.now() + leastTime), permanent: false, moved: true as const, data: {} }
      return Object.assign(note, { copied })
    }
    if (await this.#target.create(this.#id, noteOf(1))) return
    await this.#target.update(this.#id, ({ rev }) => noteOf(rev + 1))
  }
}
