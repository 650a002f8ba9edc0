import type { Router } from '@koa/router'
import type { Context } from 'koa'
import { field, seeOther } from '../guard.js'
import { renderForm } from '../views.js'
import { countsSent } from './counts.js'
import { KeptRuns } from './kept-runs.js'
import { keepsakeLibrary, koaSessionLibrary } from './library.js'
import { OneAtATime } from './one-at-a-time.js'
import { run } from './run.js'
import { initialSettings, readSettings, sliders } from './settings.js'
import { viewOf } from './race-view.js'
import { callTime } from './texts.js'

/** How many visitors may wait for the run of another one. A run takes a few seconds at most. */
const mostWaiting = 3

/** A page that sends the same traffic through koa-session and koa-keepsake, and draws what became of it. */
export function racePages(router: Router): void {
  const turns = new OneAtATime(mostWaiting)
  const runs = new KeptRuns()
  router.get('/race', (ctx) => show(ctx, runs))
  router.post('/race', (ctx) => start(ctx, turns, runs))
}

async function start(ctx: Context, turns: OneAtATime, runs: KeptRuns): Promise<void> {
  const settings = readSettings((name) => field(ctx, name))
  if (!settings) ctx.throw(400)
  const running = turns.run(() => run(settings))
  if (!running) ctx.throw(429)
  seeOther(ctx, `/race?run=${runs.keep(await running)}#result`)
}

function show(ctx: Context, runs: KeptRuns): void {
  const name = ctx.query['run']
  const kept = runs.find(name)
  renderForm(ctx, 'race', {
    title: 'Race',
    sliders,
    settings: kept?.settings ?? initialSettings,
    versions: { koaSession: koaSessionLibrary.version, keepsake: keepsakeLibrary.version },
    callTime,
    countsSent,
    isForgotten: name !== undefined && !kept,
    run: kept && viewOf(kept)
  })
}
