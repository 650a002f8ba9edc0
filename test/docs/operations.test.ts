import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { metrics } from '@opentelemetry/api'
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import test, { type ExecutionContext } from 'ava'
import { emit } from '../../src/events.js'
import { recordEvents } from '../support/events.js'
import { createGate } from '../support/gate.js'
import { startStory } from '../support/story.js'
import { SnippetProject } from './snippet-project.js'
import { readPage, snippetsOf } from './snippets.js'

// The metrics of docs/operations.md are collected by the real packages while an application runs.

const snippets = snippetsOf('docs/operations.md')
const prometheus = snippets.find(({ code }) => code.includes("from 'prom-client'"))!.code
const openTelemetry = snippets.find(({ code }) => code.includes("from '@opentelemetry/api'"))!.code

const project = new SnippetProject({
  'prometheus.ts': `${prometheus}\nexport { server }`,
  'open-telemetry.ts': openTelemetry,
  'too-early.ts': openTelemetry.replace("'session.events'", "'too.early'")
})
test.after.always(() => project.remove())

test('the snippets compile under strict', async (t) => {
  t.is(await project.compile(), '')
})

test('each way to metrics has at most ten lines', (t) => {
  for (const code of [prometheus, openTelemetry]) t.true(code.split('\n').filter((line) => line !== '').length <= 10, code)
})

test.serial('Prometheus reads how many events there were of each type and reason', async (t) => {
  process.env['METRICS_PORT'] = '0'
  const { server } = (await project.load('prometheus.ts')) as { server: Server }
  t.teardown(() => server.close().closeAllConnections())
  if (!server.listening) await once(server, 'listening')
  const expected = await causeEvents(t)

  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}/metrics`)
  t.regex(response.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/)
  const page = await response.text()
  const counted = Array.from(page.matchAll(/^session_events_total\{type="([^"]+)",reason="([^"]*)"\} (\d+)$/gm), ([, type, reason, count]) => [`${type} ${reason}`, Number(count)])
  t.deepEqual(Object.fromEntries(counted), expected)
})

test.serial('OpenTelemetry exports how many events there were of each type and reason', async (t) => {
  await project.load('too-early.ts')
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  // Nothing is exported before forceFlush().
  const provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })] })
  metrics.setGlobalMeterProvider(provider)
  t.teardown(() => provider.shutdown())
  await project.load('open-telemetry.ts')
  const expected = await causeEvents(t)

  await provider.forceFlush()
  const exported = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics).flatMap((scope) => scope.metrics)
  t.deepEqual(exported.map(({ descriptor }) => descriptor.name), ['session.events'], 'a counter from before the SDK counts nothing')
  const counted = exported[0]!.dataPoints.map(({ attributes, value }) => [`${String(attributes['type'])} ${String(attributes['reason'])}`, value])
  t.deepEqual(Object.fromEntries(counted), expected)
})

test('the alerts name types and reasons of events that exist', (t) => {
  const [, events = ''] = readPage('src/events.ts').split('export type SessionEvent')
  const known = new Set(Array.from(events.matchAll(/'([\w-]+)'/g), ([, name]) => name))
  const named = Array.from(readPage('docs/operations.md').matchAll(/(?:type|reason)=~?"([^"]+)"/g), ([, names]) => names!.split('\\|')).flat()
  t.true(named.length > 15)
  for (const name of named) t.true(known.has(name), name)
})

/** Runs an application in which sessions are created, read, changed and lost. Returns the number of events by type and reason. */
async function causeEvents(t: ExecutionContext): Promise<Record<string, number>> {
  const events = recordEvents(t)
  const gate = createGate()
  const { client, store } = await startStory(t, {
    '/login': async ({ session }) => {
      await session.loginAs('momo')
      return 'in'
    },
    '/read': ({ session }) => session['seen'] ?? 'nothing',
    '/change': ({ session }) => void (session['seen'] = true),
    '/slow': async ({ session }) => {
      session['slow'] = true
      await gate.pass()
    },
    '/logout': ({ session }) => session.destroy()
  })
  await client.get('/login')
  await client.get('/change')
  await client.get('/read', { headers: { cookie: 'session=nonsense' } })
  store.fault = (_call, number) => (number === 1 ? Promise.reject(new Error('the disk is gone')) : undefined)
  t.is((await client.get('/read')).status, 503)
  const copy = client.copy()
  const slow = copy.get('/slow')
  await gate.reached()
  await client.get('/logout')
  gate.open()
  await slow
  await copy.get('/read')
  for (const reason of ['it is not JSON', 'it has another id']) emit({ type: 'corrupt', id: 'a'.repeat(64), reason })

  const counts: Record<string, number> = {}
  for (const event of events) {
    // Its reasons are texts without limit, so they must not become series of their own.
    const name = `${event.type} ${event.type !== 'corrupt' && 'reason' in event ? event.reason : ''}`
    counts[name] = (counts[name] ?? 0) + 1
  }
  for (const name of ['create ', 'login ', 'load ', 'save ', 'destroy ', 'missing ', 'dropped gone', 'invalid-cookie malformed', 'store-error ']) t.true(name in counts, name)
  return counts
}
