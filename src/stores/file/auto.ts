import { randomUUID } from 'node:crypto'
import { discard, hasCode, symlink, writeNew } from './io.js'
import type { Names } from './names.js'
import type { Swap } from './swap.js'

/**
 * Claims where the directory's file system has symbolic links, locks where it has none. Found out by a trial before the
 * first use rather than from a failure in the middle: so that all processes that share the directory come to the same.
 */
export function claimsOrLocks(names: Names, claims: Swap, locks: Swap): Swap {
  let chosen: Swap | undefined

  async function choose(id: string): Promise<Swap> {
    const hasLinks = await tryLink(names.temporary(id, randomUUID()))
    if (hasLinks === undefined) return claims
    return (chosen = hasLinks ? claims : locks)
  }

  return {
    replace: async (id, rev, unique) => (chosen ?? (await choose(id))).replace(id, rev, unique),
    remove: async (id, rev) => (chosen ?? (await choose(id))).remove(id, rev)
  }
}

/** `undefined`: it failed for another reason, which says nothing about links. */
async function tryLink(path: string): Promise<boolean | undefined> {
  try {
    await symlink('-', path)
    return true
  } catch (error) {
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) return undefined
    // EPERM is also the answer of a directory in which nothing at all may be made.
    return await writeNew(path, '', 0, { mode: 0o600, sync: false }).then(
      () => false,
      () => undefined
    )
  } finally {
    await discard(path)
  }
}
