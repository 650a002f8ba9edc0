import { once } from 'node:events'
import { connect } from 'node:net'
import { clients } from '../../clients.js'

export async function memcached({ url, proxied, library }) {
  const client = await clients.memcached({ url: proxied })
  const counts = {}
  // memcached itself counts `cas` and `add` together.
  const counting = Object.fromEntries(
    ['gets', 'add', 'cas', 'delete'].map((name) => [
      name,
      (...given) => {
        counts[name] = (counts[name] ?? 0) + 1
        return client[name](...given)
      }
    ])
  )
  return {
    store: library.memcachedStore({ client: counting }),
    async size() {
      const [slabs, general] = [await stats(url, 'stats slabs'), await stats(url, 'stats')]
      const sizes = Array.from(slabs.matchAll(/^STAT (\d+):chunk_size (\d+)/gm), ([, slab, size]) => Number(size) * Number(new RegExp(`^STAT ${slab}:used_chunks (\\d+)`, 'm').exec(slabs)[1]))
      return { bytes: sizes.reduce((sum, each) => sum + each, 0), items: Number(/^STAT curr_items (\d+)/m.exec(general)[1]) }
    },
    counts: async () => ({ ...counts }),
    close: async () => client.shutdown()
  }
}

async function stats(url, command) {
  const [host, port] = url.split(':')
  const socket = connect(Number(port), host).setEncoding('latin1')
  socket.write(`${command}\r\n`)
  let text = ''
  while (!text.endsWith('END\r\n')) text += (await once(socket, 'data'))[0]
  socket.destroy()
  return text
}
