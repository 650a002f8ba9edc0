import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')

/** Collects all garbage of this process. */
export const collectGarbage = runInNewContext('gc') as () => void

/** Reports whether an object is garbage. */
export async function isCollected(reference: WeakRef<object>): Promise<boolean> {
  for (let tries = 0; tries < 20; tries++) {
    await new Promise(setImmediate)
    collectGarbage()
    if (!reference.deref()) return true
  }
  return false
}
