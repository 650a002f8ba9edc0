// One server process: `node server.js <variant> <settings as JSON>`, told what to do over IPC.
import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { clients } from './clients.js'
import { InnerClients } from './inner-clients.js'
import { innerRedis } from './inner-redis.js'
import { variants } from './variants/index.js'
import { growSessions } from './work.js'

const [name, json] = process.argv.slice(2)
const settings = JSON.parse(json)
if (settings.sessionBytes) growSessions(settings.sessionBytes)
const start = await variants[name].load()
const { port, handle } = await start({ ...settings, connect: () => (settings.isInside ? innerRedis() : clients[variants[name].store](settings)) })

const profiler = new Session()
let innerClients
const commands = {
  usage: () => ({ cpu: process.cpuUsage(), memory: process.memoryUsage.rss() }),
  async openInside(sessions) {
    innerClients = new InnerClients(handle)
    await innerClients.open(sessions)
  },
  inside: ({ kind, count }) => innerClients.window(kind, count),
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
