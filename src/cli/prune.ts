import { confirm, declined } from './confirm.js'
import { print, type Io } from './io.js'
import type { Opened } from './open-store.js'

/** `prune`: removes the records of sessions that have expired. */
export async function prune({ store, name }: Opened, { yes = false }: { readonly yes?: boolean }, io: Io): Promise<number> {
  const action = `This removes the records of expired sessions from ${name}. It logs nobody out.`
  if (!(await confirm(io, action, yes))) return declined(io)
  const removed = (await store.prune?.()) ?? 0
  await print(io.stdout, `removed ${removed} expired ${removed === 1 ? 'record' : 'records'}`)
  return 0
}
