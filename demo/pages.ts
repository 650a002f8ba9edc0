import { Router } from '@koa/router'
import type { Context } from 'koa'
import { addPiece, goods, linesOf, piecesIn, takePiece } from './goods.js'
import { longestUserAgent } from './device.js'
import { field, seeOther } from './guard.js'
import { isPassword, password } from './password.js'
import type { Storage } from './storage.js'
import { preferencesOf, render, renderForm } from './views.js'
import { flash, newCsrfToken, themes, visitorOf, type Cart, type Preferences } from './visitor.js'
import { greet, languages, writeDuration, writePieces, writePrice, writeSince } from './words.js'

export interface Terms {
  /** Idle lifetime in milliseconds of a session whose owner asked to be remembered, and of any other. */
  remembered: number
  forgotten: number
  /** How long "count slowly" takes, in milliseconds, and how it waits. */
  slowness: number
  pause: (milliseconds: number) => Promise<void>
  storage: Pick<Storage, 'words' | 'outlivesProcess'>
}

const maxName = 40

export function pages(terms: Terms): Router {
  return new Router()
    .get('/', (ctx) => home(ctx, terms))
    .get('/login', (ctx) => loginForm(ctx, terms))
    .post('/login', (ctx) => login(ctx, terms))
    .post('/logout', (ctx) => logout(ctx))
    .post('/count', (ctx) => count(ctx, terms))
    .get('/shop', shop)
    .post('/cart', changeCart)
    .get('/preferences', preferencesForm)
    .post('/preferences', savePreferences)
}

function home(ctx: Context, { slowness, storage }: Terms): void {
  const visitor = visitorOf(ctx)
  const { language } = preferencesOf(ctx)
  const { owner, loggedInAt, visits = 0 } = visitor
  render(ctx, 'home', {
    title: 'Home',
    storage,
    isNew: visitor.isNew,
    saidGoodbye: owner === undefined && ctx.query['goodbye'] !== undefined,
    language,
    greeting: greet(language, owner ?? ''),
    since: loggedInAt && writeSince(language, loggedInAt),
    count: visits,
    countWord: visits === 1 ? 'time' : 'times',
    pause: writeDuration(slowness),
    cart: cartView(ctx),
    permanent: visitor.permanent,
    expires: writeDuration(visitor.expiresAt.getTime() - Date.now())
  })
}

function loginForm(ctx: Context, terms: Terms, problem?: { field: 'name' | 'password'; text: string }): void {
  if (visitorOf(ctx).owner !== undefined) return ctx.redirect('/')
  renderForm(ctx, 'login', {
    title: 'Log in',
    problem,
    password,
    maxName,
    name: field(ctx, 'name'),
    remember: field(ctx, 'remember') !== '',
    rememberFor: writeDuration(terms.remembered)
  })
}

async function login(ctx: Context, terms: Terms): Promise<void> {
  const session = visitorOf(ctx)
  // A user who is logged in keeps the session: another name must not inherit its cart and counter.
  if (session.owner !== undefined) return seeOther(ctx, '/')
  const name = field(ctx, 'name').replace(/[\p{C}\s]+/gu, ' ').trim()

  if (!(await isPassword(field(ctx, 'password')))) {
    const failed = session.increment('failedLogins')
    ctx.status = 401
    const attempts = failed === 1 ? 'One wrong attempt' : `${failed} wrong attempts`
    return loginForm(ctx, terms, { field: 'password', text: `That is not the password. ${attempts} so far, counted in your session.` })
  }
  if (name === '' || name.length > maxName) {
    ctx.status = 422
    return loginForm(ctx, terms, { field: 'name', text: `Give a name of at most ${maxName} characters.` })
  }

  const remember = field(ctx, 'remember') !== ''
  const failed = session.pop('failedLogins', 0) as number
  // Against session fixation, the session gets a new sid: an attacker who knew the visitor's cookie before the login knows nothing after it.
  await session.loginAs(name, { permanent: remember, lifetime: remember ? terms.remembered : terms.forgotten })
  session.loggedInAt = new Date()
  session.userAgent = ctx.get('user-agent').slice(0, longestUserAgent)
  session.csrf = newCsrfToken()
  flash(ctx, remember ? `Welcome, ${name}. You will be remembered for ${writeDuration(terms.remembered)}.` : `Welcome, ${name}.`)
  if (failed > 0) flash(ctx, `There ${failed === 1 ? 'was one wrong attempt' : `were ${failed} wrong attempts`} before you came in.`, 'note')
  seeOther(ctx, '/')
}

async function logout(ctx: Context): Promise<void> {
  await visitorOf(ctx).destroy()
  // Said in the address: a flash message would begin a new session.
  seeOther(ctx, '/?goodbye')
}

async function count(ctx: Context, { slowness, pause }: Terms): Promise<void> {
  const session = visitorOf(ctx)
  if (session.owner === undefined) return seeOther(ctx, '/login')
  if (field(ctx, 'slowly') !== '') {
    await pause(slowness)
    flash(ctx, 'Counted slowly, and nothing that happened meanwhile was lost.')
  }
  session.increment('visits')
  seeOther(ctx, '/')
}

function shop(ctx: Context): void {
  const { language } = preferencesOf(ctx)
  renderForm(ctx, 'shop', {
    title: 'Shop',
    goods,
    price: (cents: number) => writePrice(language, cents),
    pieces: (id: string) => visitorOf(ctx).cart?.lines.find((line) => line.id === id)?.pieces ?? 0,
    cart: cartView(ctx)
  })
}

function changeCart(ctx: Context): void {
  const session = visitorOf(ctx)
  const [add, less] = [field(ctx, 'add'), field(ctx, 'less')]
  if (field(ctx, 'empty') !== '') {
    delete session.cart
    flash(ctx, 'The cart is empty.')
  } else {
    const thing = goods.find(({ id }) => id === (add || less))
    if (!thing) ctx.throw(400)
    const cart = session.setDefault('cart', { lines: [] }) as Cart
    if (add) addPiece(cart, thing.id)
    else takePiece(cart, thing.id)
  }
  // The page scrolls back to the thing, or to the cart's line, whose button was pressed.
  seeOther(ctx, `/shop#${returnPoint(ctx, session.cart, add || less)}`)
}

function returnPoint(ctx: Context, cart: Cart | undefined, id: string): string {
  if (id === '') return 'cart'
  if (field(ctx, 'from') !== 'cart') return id
  return cart?.lines.some((line) => line.id === id) ? `line-${id}` : 'cart'
}

function preferencesForm(ctx: Context): void {
  const { language } = preferencesOf(ctx)
  renderForm(ctx, 'preferences', {
    title: 'Preferences',
    languages,
    language,
    sample: [greet(language, visitorOf(ctx).owner ?? 'Momo'), writeSince(language, new Date()), writePrice(language, 123_450)]
  })
}

function savePreferences(ctx: Context): void {
  const theme = themes.find((each) => each === field(ctx, 'theme'))
  const language = languages.find(([code]) => code === field(ctx, 'language'))?.[0]
  if (theme === undefined || language === undefined) ctx.throw(400)
  visitorOf(ctx).preferences = { theme, language } satisfies Preferences
  flash(ctx, 'Your preferences are kept.')
  seeOther(ctx, '/preferences')
}

function cartView(ctx: Context): object {
  const { language } = preferencesOf(ctx)
  const { cart } = visitorOf(ctx)
  const lines = linesOf(cart)
  return {
    lines: lines.map(({ id, name, pieces, cents }) => ({ id, name, pieces, price: writePrice(language, cents) })),
    total: writePrice(language, lines.reduce((sum, { cents, pieces }) => sum + cents * pieces, 0)),
    summary: writePieces(piecesIn(cart))
  }
}
