import fs from 'node:fs'
import test from 'ava'
import { under } from '../../faults/file-system.js'
import { counting, create, leftovers, openStore, tempDir } from '../../support/files.js'

// Two processes see the lock of a dead one. The slower one removes it as stale when the faster one has made its own under the same name.
test('a lock that another process has just removed is acquired again', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir, locking: 'lockfile' })
  const { id } = await create(store)
  // proper-lockfile looks at its first lock with other calls than at the next ones.
  for (const count of [1, 2]) {
    const removed: string[] = []
    const updated = await under(
      ({ name, path }) => {
        if (removed.length > 0 || !/^(utimes|stat)$/.test(name) || !path?.endsWith('.lock')) return undefined
        fs.rmdirSync(path)
        removed.push(path)
        return undefined
      },
      () => store.update(id, counting())
    )
    t.is(removed.length, 1)
    t.is(updated?.data['count'], count)
  }
  t.deepEqual((await store.read(id))?.data, { count: 2 })
  await store.destroy(id)
  t.deepEqual(leftovers(dir), [])
})
