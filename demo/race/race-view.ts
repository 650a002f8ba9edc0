import { tokensOfJson, type Token } from '../record-text.js'
import { lostOf, type Outcome } from './bar.js'
import { draw, type Drawing, type Style } from './drawing.js'
import type { Result, Run } from './run.js'
import type { Theft } from './theft.js'

/** One library's timeline of one kind of traffic, for a template. */
export interface TimelineView {
  name: string
  isGood: boolean
  verdict: string
  /** Says in words what the drawing shows. */
  summary: string
  drawing: Drawing
  left: Token[]
}

/** The data that a stolen cookie opens with one kind of login, at the four moments of the table. */
interface TheftView {
  title: string
  code: string
  opens: { what: string; isGood: boolean }[]
}

const plainStyle: Style = { row: 16, bar: 10 }
const logoutStyle: Style = { row: 42, bar: 12, labelled: true }

export function viewOf({ settings, results }: Run): object {
  return {
    settings,
    keys: timelines(results, ({ keys }) => keys, plainStyle, (outcome) => lossOf(outcome, 'kept')),
    counts: timelines(results, ({ counts }) => counts, plainStyle, (outcome) => lossOf(outcome, 'counted')),
    plainLost: results.flatMap(({ plainCounts }) => (plainCounts ? [lostOf(plainCounts)] : [])),
    logout: timelines(results, ({ logout }) => logout, logoutStyle, (outcome) => (lostOf(outcome) > 0 ? 'Logout undone' : 'Logged out for good')),
    thefts: theftsOf(results)
  }
}

/** The timelines of all libraries have the same scale. */
function timelines(results: readonly Result[], pick: (result: Result) => Outcome, style: Style, judge: (outcome: Outcome) => string): TimelineView[] {
  const end = Math.max(1, ...results.flatMap((result) => pick(result).bars.map(({ to }) => to)))
  return results.map((result) => {
    const outcome = pick(result)
    const lost = lostOf(outcome)
    return {
      name: result.name,
      isGood: lost === 0,
      verdict: judge(outcome),
      summary: `Timeline of ${outcome.bars.length} requests through ${result.name}, ${lost === 0 ? 'none' : lost} of them lost`,
      drawing: draw(outcome.bars, end, style),
      left: tokensOfJson(JSON.stringify(outcome.left, null, 1).replaceAll(/\n\s*/g, ' ').replaceAll(/(?<=":) | (?=}$)/g, '\u00a0'))
    }
  })
}

function lossOf(outcome: Outcome, word: string): string {
  const [lost, all] = [lostOf(outcome), outcome.bars.length]
  return lost === 0 ? `All ${all} ${word}` : `${lost} of ${all} lost`
}

/** The code that users of each library write for a login: most of them write the first, the careful ones the second. */
function theftsOf(results: readonly Result[]): TheftView[] {
  const [koaSession, keepsake] = [results[0]!, results.at(-1)!]
  return [
    theftOf(koaSession.name, "session.user = 'Momo'", koaSession.thefts.plain),
    theftOf(koaSession.name, 'await session.regenerate()', koaSession.thefts.secure),
    theftOf(keepsake.name, "await session.loginAs('Momo')", keepsake.thefts.secure)
  ]
}

function theftOf(title: string, code: string, { beforeLogin, afterLogin, whileLoggedIn, afterLogout }: Theft): TheftView {
  return {
    title,
    code,
    opens: [beforeLogin, afterLogin, whileLoggedIn, afterLogout].map((names) => ({
      what: names.includes('user') ? "Momo's account" : names.length > 0 ? `the visitor's ${names.join(', ')}` : 'nothing',
      isGood: names.length === 0
    }))
  }
}
