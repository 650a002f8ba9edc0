import { clients } from '../../clients.js'
import { startBackend } from '../../backends.js'

/** Commands of the measurement itself, and of connecting. */
const own = /^(info|config|client|hello|ping|select|memory|dbsize|replconf|psync|command)\b/

export async function redis({ url, proxied, library }) {
  const client = await clients.redis({ url: proxied })
  const admin = await clients.redis({ url })
  const usedMemory = async () => Number(/^used_memory:(\d+)/m.exec(await admin.info('memory'))[1])
  let replica
  const empty = await usedMemory()
  return {
    store: library.redisStore({ client }),
    hasCost: true,
    async size() {
      return { bytes: (await usedMemory()) - empty }
    },
    async counts() {
      const lines = (await admin.info('commandstats')).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)
      return Object.fromEntries(Array.from(lines, ([, name, calls]) => [name.toUpperCase(), Number(calls)]).filter(([name]) => !own.test(name.toLowerCase())))
    },
    /** Bytes that a replica is sent, so far. Starts a replica at the first call. */
    async log() {
      replica ??= await startReplica(admin, url)
      return Number(/^master_repl_offset:(\d+)/m.exec(await admin.info('replication'))[1])
    },
    async close() {
      client.destroy()
      admin.destroy()
      await replica?.stop()
    }
  }
}

async function startReplica(master, url) {
  const replica = await startBackend('redis')
  const client = await clients.redis({ url: replica.url })
  await client.sendCommand(['REPLICAOF', '127.0.0.1', new URL(url).port])
  for (let isUp = false; !isUp; ) isUp = /master_link_status:up/.test(await client.info('replication'))
  client.destroy()
  return replica
}
