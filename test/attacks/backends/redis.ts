import { hash } from 'node:crypto'
import { createClient } from 'redis'
import { redisStore } from '../../../src/index.js'
import { newest } from '../../support/redis-store.js'
import { needsRedis, startRedis } from '../../support/redis.js'
import type { Backend, Texts } from './backend.js'

type Send = (...command: string[]) => Promise<unknown>

/** The newest version of each driver. */
export const redis: readonly Backend[] = newest.map(({ name, connect }) => ({
  name,
  needs: needsRedis,
  async start(t) {
    const server = await startRedis('--maxmemory-policy', 'noeviction')
    const { client, close } = await connect(server.url)
    const behind = await createClient({ url: server.url }).on('error', () => undefined).connect()
    t.teardown(async () => {
      close()
      behind.destroy()
      await server.stop()
    })
    return {
      store: () => redisStore({ client }),
      texts: textsOf(async (...command) => behind.sendCommand(command)),
      async refuseWrites() {
        await server.cli('CONFIG', 'SET', 'maxmemory', '1')
        return () => server.cli('CONFIG', 'SET', 'maxmemory', '0')
      },
      async breakDown() {
        // A user without rights: each command is refused, and the connection stays.
        await server.cli('ACL', 'SETUSER', 'default', 'resetkeys')
        return () => server.cli('ACL', 'SETUSER', 'default', 'allkeys')
      }
    }
  }
}))

function textsOf(send: Send): Texts {
  const instead = (command: string, ...args: string[]) => async (prefix: string, id: string) => {
    await send('DEL', prefix + id)
    await send(command, prefix + id, ...args)
  }
  return {
    put: (prefix, id, text) => send('SET', prefix + id, text),
    claim: (prefix, id, owner) => send('ZADD', `${prefix}owner:${hash('sha256', owner)}`, String(Date.now() + 3_600_000), id),
    async dump() {
      const keys = (await send('KEYS', '*')) as string[]
      return [...keys, ...(await Promise.all(keys.map((key) => send('DUMP', key))))].join('\n')
    },
    odd: [
      ['a list', instead('RPUSH', 'planted')],
      ['a hash', instead('HSET', 'planted', 'planted')],
      ['a sorted set', instead('ZADD', '1', 'planted')],
      ['a stream', instead('XADD', '*', 'planted', 'planted')]
    ]
  }
}
