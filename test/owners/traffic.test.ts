import { connect } from 'node:net'
import { once } from 'node:events'
import test from 'ava'
import { mongoStore } from '../../src/stores/mongo/index.js'
import { redisStore } from '../../src/stores/redis/index.js'
import { createTable, sqlStore } from '../../src/stores/sql/index.js'
import type { Cleanup } from '../support/app.js'
import { connectMongo, needsMongo, startMongo } from '../support/mongo.js'
import { newest } from '../support/redis-store.js'
import { needsRedis, startRedis, until, type RedisServer } from '../support/redis.js'
import { engines, needsEngine } from '../support/sql.js'
import { ownerTraffic } from './traffic.js'

for (const driver of newest) {
  ownerTraffic(needsRedis(test), driver.name, async (t) => {
    const server = await startRedis()
    const { client, close } = await driver.connect(server.url)
    const sent = await monitor(t, server)
    t.teardown(async () => {
      close()
      await server.stop()
    })
    return { store: redisStore({ client }), sent }
  })
}

ownerTraffic(needsMongo(test), 'MongoDB', async (t) => {
  const client = connectMongo(t, (await startMongo(t)).url, { monitorCommands: true })
  const commands: string[] = []
  client.on('commandStarted', ({ command }) => void commands.push(JSON.stringify(command, withoutRecord)))
  return { store: mongoStore({ client, database: 'keepsake' }), sent: async () => commands.splice(0) }
})

for (const engine of engines) {
  ownerTraffic(needsEngine(test, engine), engine.name, async (t) => {
    const database = await engine.start()
    t.teardown(() => database.stop())
    const knex = database.connect()
    await createTable({ knex })
    const queries: string[] = []
    knex.on('query', ({ sql, bindings = [] }: { sql: string; bindings?: readonly unknown[] }) => {
      const shown = bindings.map((each) => (each instanceof Uint8Array ? Buffer.from(each).toString() : String(each)))
      queries.push(JSON.stringify([sql, ...shown.map((each) => (isRecord(each) ? 'a record' : each))]))
    })
    return { store: sqlStore({ knex, timeout: 60_000 }), sent: async () => queries.splice(0) }
  })
}

/** For `JSON.stringify`. */
function withoutRecord(_: string, value: unknown): unknown {
  return typeof value === 'string' && isRecord(value) ? 'a record' : value
}

function isRecord(text: string): boolean {
  return text.startsWith('{"rev":')
}

/** Every command that clients send, as Redis says it. What scripts call is part of theirs. */
async function monitor(t: Cleanup, server: RedisServer): Promise<() => Promise<string[]>> {
  const socket = connect(server.port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  let text = ''
  socket.setEncoding('utf8').on('data', (part: string) => (text += part))
  await once(socket, 'connect')
  socket.write('MONITOR\r\n')
  await until('Redis shows its commands', () => text.startsWith('+OK'))
  let asked = 0
  return async () => {
    // It comes after everything that was sent before.
    const mark = `seen ${++asked}`
    await server.cli('ECHO', mark)
    await until('everything is shown', () => text.includes(`"${mark}"`))
    const lines = text.split('\r\n').filter((line) => /^\+\d/.test(line) && !/\[0 lua\]|"(ECHO|HELLO|CLIENT|COMMAND|PING|INFO|SELECT)"/i.test(line))
    text = ''
    return lines.map((line) => line.replaceAll(/"\{\\"rev\\":(?:[^"\\]|\\.)*"/g, 'a record'))
  }
}
