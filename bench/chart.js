// The chart of the README: bars of CPU µs over the bare framework, one panel a store. Its own background and its own
// colours for dark pages, so that it can be read wherever it is shown.
import { isComplete, variants } from './variants/index.js'

const panels = { memory: 'Memory', file: 'Files', redis: 'Redis' }
const kinds = { read: 'read one key', write: 'write one key', new: 'new session' }
const classes = { 'floor': 'floor', 'koa-keepsake': 'own', 'sealed': 'sealed', 'koa-session': 'koa', 'express-session': 'express', '@fastify/session': 'fastify' }

const panelWidth = 300
const labelWidth = 112
const barsWidth = 126
const barHeight = 13
const barGap = 3
const groupGap = 26
const top = 92

export function chart({ environment, plan, variants: results }) {
  const drawn = Object.keys(panels).map((store, at) => panel(store, results, 20 + at * panelWidth))
  const width = 20 + Object.keys(panels).length * panelWidth
  const bottom = Math.max(...drawn.map(({ height }) => height))
  const note =
    `${environment.cpu}, one core for the server; Node.js ${environment.versions.node}; ${plan.connections} connections, ` +
    `${plan.sessions} sessions; median of ${plan.rounds} rounds`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 34}" width="${width}" height="${bottom + 34}" role="img" aria-labelledby="title about">
<title id="title">What a session costs</title>
<desc id="about">${escaped(drawn.flatMap(({ spoken }) => spoken).join('; '))}</desc>
<style>
  text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328 }
  .title { font-size: 17px; font-weight: 600 }
  .store { font-size: 14px; font-weight: 600 }
  .kind, .note, .value { fill: #59636e }
  .kind { font-weight: 600 }
  .note, .value { font-size: 11px }
  .name { text-anchor: end }
  .own-name { text-anchor: end; font-weight: 600 }
  .card { fill: #ffffff; stroke: #d1d9e0 }
  .axis { stroke: #d1d9e0 }
  .floor { fill: #afb8c1 } .own { fill: #1a7f64 } .sealed { fill: #7fbfac } .koa { fill: #bf5b16 } .express { fill: #8250df } .fastify { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .kind, .note, .value { fill: #9198a1 }
    .card { fill: #0d1117; stroke: #3d444d }
    .axis { stroke: #3d444d }
    .floor { fill: #6e7681 } .own { fill: #3fb996 } .sealed { fill: #2a6f5b } .koa { fill: #db8b4b } .express { fill: #a78bfa } .fastify { fill: #58a6ff }
  }
</style>
<rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${bottom + 33}" rx="8"/>
<text class="title" x="20" y="34">What a session costs: server CPU µs per request, above the bare framework</text>
<text class="note" x="20" y="54">Less is better. Each store has a scale of its own. “floor”: the least code that does the same input and output.</text>
${drawn.map(({ svg }) => svg).join('\n')}
<text class="note" x="20" y="${bottom + 16}">${escaped(note)}</text>
</svg>
`
}

function panel(store, results, left) {
  const names = Object.keys(variants).filter((name) => variants[name].store === store && isComplete(name) && results[name])
  const most = Math.max(1, ...names.flatMap((name) => Object.keys(kinds).map((kind) => results[name][kind].over)))
  const lines = [`<text class="store" x="${left}" y="${top - 10}">${panels[store]}</text>`]
  const spoken = []
  const zero = left + labelWidth
  let y = top
  for (const [kind, kindName] of Object.entries(kinds)) {
    lines.push(`<text class="kind" x="${left}" y="${y + 11}">${kindName}</text>`)
    y += 20
    const start = y
    for (const name of names) {
      const short = name.slice(store.length + 1)
      const { over } = results[name][kind]
      const width = Math.max(1, (over / most) * barsWidth)
      const figure = over < 10 ? over.toFixed(1) : over.toFixed(0)
      lines.push(
        `<text class="${short === 'koa-keepsake' ? 'own-name' : 'name'}" x="${zero - 7}" y="${y + 10.5}">${short}</text>`,
        `<rect class="${classes[short]}" x="${zero}" y="${y}" width="${width.toFixed(1)}" height="${barHeight}" rx="2"/>`,
        `<text class="value" x="${(zero + width + 5).toFixed(1)}" y="${y + 10.5}">${figure}</text>`
      )
      spoken.push(`${panels[store]}, ${kindName}, ${short}: ${figure} µs`)
      y += barHeight + barGap
    }
    lines.push(`<line class="axis" x1="${zero - 0.5}" x2="${zero - 0.5}" y1="${start - 2}" y2="${y}"/>`)
    y += groupGap - 12
  }
  return { svg: lines.join('\n'), height: y + 8, spoken }
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
