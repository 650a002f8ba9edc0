import { memcachedStore } from '../../../src/index.js'
import { connectMemcached, needsMemcached, startMemcached } from '../../support/memcached.js'
import type { Backend } from './backend.js'

export const memcached: Backend = {
  name: 'memcached',
  needs: needsMemcached,
  async start(t) {
    const server = await startMemcached(t, '-m', '64')
    const client = connectMemcached(t, server.address)
    /** @param flags tell the client how to unpack the value. */
    const set = (prefix: string, id: string, flags: number, value: string) =>
      server.ask(`set ${prefix}${id} ${flags} 0 ${Buffer.byteLength(value)}\r\n${value}`)
    const down = async () => {
      await server.kill()
      return () => server.start()
    }
    return {
      store: () => memcachedStore({ client }),
      texts: {
        put: (prefix, id, text) => set(prefix, id, 0, text),
        async dump() {
          const listed = await server.ask('lru_crawler metadump all')
          const keys = [...listed.matchAll(/^key=(\S+)/gm)].map(([, key]) => decodeURIComponent(key!))
          return (await Promise.all(keys.map((key) => server.ask(`get ${key}`)))).join('\n')
        },
        odd: [
          ['JSON for the client to parse', (prefix, id) => set(prefix, id, 2, '{"planted":true}')],
          ['a number for the client to parse', (prefix, id) => set(prefix, id, 1, '7')],
          ['broken JSON for the client to parse', (prefix, id) => set(prefix, id, 2, '{"planted')],
          ['broken compressed data', (prefix, id) => set(prefix, id, 4, 'planted')],
          ['flags that mean nothing', (prefix, id) => set(prefix, id, 65_535, 'planted')]
        ]
      },
      refuseWrites: down,
      breakDown: down
    }
  }
}
