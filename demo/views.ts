import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Eta } from 'eta'
import type { Context } from 'koa'
import { piecesIn } from './goods.js'
import { csrfToken, takeFlashes, themes, visitorOf, type Flash, type Preferences } from './visitor.js'
import { languages } from './words.js'

// Whatever a template writes with <%= %> is escaped; <%~ %> is used for other templates and for literals only.
const eta = new Eta({ views: join(dirname(fileURLToPath(import.meta.url)), 'views'), cache: true, autoEscape: true })

/** What the frame around every page shows. */
interface Chrome {
  path: string
  theme: string
  language: string
  user: string | undefined
  initial: string
  pieces: number
  flashes: Flash[]
  csrf: string
}

const noVisitor = { theme: 'system', language: languages[0]![0], user: undefined, initial: '', pieces: 0, flashes: [], csrf: '' }

export function render(ctx: Context, view: string, data: { title: string } & Record<string, unknown>): void {
  renderWith(ctx, view, chromeOf(ctx), data)
}

/** A page for when there may be no session to be had. */
export function renderBare(ctx: Context, view: string, data: { title: string } & Record<string, unknown>): void {
  renderWith(ctx, view, { ...noVisitor, path: ctx.path }, data)
}

export function preferencesOf(ctx: Context): Preferences {
  const kept = visitorOf(ctx).preferences
  return {
    theme: themes.find((theme) => theme === kept?.theme) ?? 'system',
    language: languages.find(([code]) => code === kept?.language)?.[0] ?? languages[0]![0]
  }
}

function renderWith(ctx: Context, view: string, chrome: Chrome, data: object): void {
  ctx.type = 'html'
  // What a page shows is one visitor's: not even the browser's own cache may show it after the logout.
  ctx.set('Cache-Control', 'no-store')
  ctx.body = eta.render(`./${view}`, { ...data, chrome })
}

function chromeOf(ctx: Context): Chrome {
  const visitor = visitorOf(ctx)
  const { owner: user } = visitor
  return {
    ...preferencesOf(ctx),
    path: ctx.path,
    user,
    initial: initialOf(user),
    pieces: piecesIn(visitor.cart),
    flashes: takeFlashes(ctx),
    // A visitor who sees no form gets no token, and so no session.
    csrf: visitor.csrf ?? ''
  }
}

function initialOf(name = ''): string {
  const point = name.codePointAt(0)
  return point === undefined ? '' : String.fromCodePoint(point).toUpperCase()
}

/** A page with a form: begins a session if there is none, because the form's token lives there. */
export function renderForm(ctx: Context, view: string, data: { title: string } & Record<string, unknown>): void {
  csrfToken(ctx)
  render(ctx, view, data)
}
