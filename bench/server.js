// One server process: `node server.js <variant> <settings as JSON>`, told what to do over IPC.
import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { variants } from './variants/index.js'
import { growSessions } from './work.js'

const [name, json] = process.argv.slice(2)
const settings = JSON.parse(json)
if (settings.sessionBytes) growSessions(settings.sessionBytes)
const start = await variants[name].load()
const { port } = await start({ ...settings, redis: connectRedis })

const profiler = new Session()
const commands = {
  usage: () => ({ cpu: process.cpuUsage(), memory: process.memoryUsage.rss() }),
  async profile() {
    profiler.connect()
    await profiler.post('Profiler.enable')
    await profiler.post('Profiler.setSamplingInterval', { interval: 200 })
    await profiler.post('Profiler.start')
  },
  async profiled(file) {
    const { profile } = await profiler.post('Profiler.stop')
    profiler.disconnect()
    writeFileSync(file, JSON.stringify(profile))
  }
}

process.on('message', ({ command, argument }) => {
  void Promise.resolve(commands[command](argument)).then((answer) => process.send({ answer }))
})
process.on('disconnect', () => process.exit())
process.send({ port })

async function connectRedis() {
  const { createClient } = await import('redis')
  // The same client for all. Without the timer that node-redis 6 starts for each command, as the README advises: it was
  // measured to cost more than the command itself, and would hide what a store costs.
  return createClient({ socket: { host: '127.0.0.1', port: settings.redisPort }, commandOptions: { timeout: undefined } }).connect()
}
