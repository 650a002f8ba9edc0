/**
 * A client of Redis whose keys are in this process. It answers the commands that the variants send, with promises and new strings, as a driver does.
 * It has no server and no socket: how many replies come in one packet differs from run to run, by more than what is to be measured.
 */
export function innerRedis() {
  const values = new Map()
  const get = (key) => values.get(key)?.toString() ?? null
  const set = (key, text) => void values.set(key, Buffer.from(text))
  return {
    isOpen: true,
    isReady: true,
    on() {},
    get: async (key) => get(key),
    async set(key, text, { NX = false } = {}) {
      if (NX && values.has(key)) return null
      set(key, text)
      return 'OK'
    },
    // Only earlier builds of koa-keepsake call it.
    async getDel(key) {
      const text = get(key)
      values.delete(key)
      return text
    },
    del: async (key) => Number(values.delete(key)),
    /** Compares and replaces as the script of stores/redis/compare-and-swap.ts does, without a time to live. */
    async evalSha(sha, { keys: [key], arguments: [from, to] }) {
      const text = get(key)
      if (text === null) return null
      if (!text.startsWith(from)) return [text]
      set(key, to)
      return 1
    },
    eval() {
      throw new Error('there is no Lua here')
    },
    configGet: async () => ({ 'maxmemory-policy': 'noeviction' })
  }
}
