import { randomUUID } from 'node:crypto'
import { discard, hasCode, link, writeNew } from './io.js'
import type { Names } from './names.js'
import type { Swap } from './swap.js'

/**
 * Claims where the directory's file system has hard links, locks where it has none. Found out by a trial before the first
 * use rather than from a failure in the middle: so that all processes that share the directory come to the same.
 */
export function claimsOrLocks(names: Names, claims: Swap, locks: Swap): Swap {
  let chosen: Swap | undefined

  async function choose(): Promise<Swap> {
    const hasLinks = await tryLink(names)
    // Asked again the next time: on a full disk, say, nothing can be tried, but sessions can be removed.
    if (hasLinks === undefined) return claims
    return (chosen = hasLinks ? claims : locks)
  }

  return {
    replace: async (id, from, text, to) => (chosen ?? (await choose())).replace(id, from, text, to),
    remove: async (id, from) => (chosen ?? (await choose())).remove(id, from),
    async close() {
      await Promise.all([claims.close(), locks.close()])
    }
  }
}

/** `undefined`: it failed for another reason, which says nothing about links. */
async function tryLink(names: Names): Promise<boolean | undefined> {
  const [from, to] = [names.owner(randomUUID()), names.owner(randomUUID())]
  try {
    await writeNew(from, '', undefined, { mode: 0o600, sync: false })
  } catch {
    return undefined
  }
  try {
    await link(from, to)
    return true
  } catch (error) {
    return hasCode(error, 'EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK') ? false : undefined
  } finally {
    await discard(to)
    await discard(from)
  }
}
