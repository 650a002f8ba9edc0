import Keygrip from 'keygrip'
import { createSid } from '../../../src/cookie/index.js'
import { sendRawCookie } from '../../support/raw.js'
import { secret } from '../../support/story.js'
import type { Case, Stage, Target } from '../stage.js'
import { nobody, query, routes } from './routes.js'

const otherSecret = 'another secret of more than thirty-two characters'

/** How many requests are sent at once. */
const atOnce = 8

export const forgedCookies: readonly Case[] = [
  [
    'no truncation and no changed bit of a valid cookie opens a session, reaches the store or is an error',
    async (stage, t) => {
      const { target, value } = await logIn(stage)
      const bytes = Buffer.from(value, 'latin1')
      const forged = new Set<string>()
      for (let at = 0; at < bytes.length; at++) {
        forged.add(value.slice(0, at)).add(value.slice(at + 1))
        for (let bit = 0; bit < 8; bit++) {
          const flipped = Buffer.from(bytes)
          flipped[at]! ^= 1 << bit
          forged.add(flipped.toString('latin1'))
        }
      }
      const sent = [...forged].filter(canBeSent)
      t.true(sent.length > 7 * bytes.length)
      t.deepEqual(await whatOpens(target, sent), [])
    }
  ],
  [
    'no other spelling of a valid cookie, and none that other keys, names or purposes have signed, opens a session',
    async (stage, t) => {
      const { target, value } = await logIn(stage)
      t.deepEqual(await whatOpens(target, [...otherSpellings(value), ...otherSignatures(value)].filter((each) => each !== value)), [])
    }
  ],
  [
    "what Koa's ctx.cookies signs with the same keys is no session",
    async (stage, t) => {
      const { target, value } = await logIn(stage)
      const payload = value.split('.').slice(1, -1).map((part) => `.${part}`).join('')
      const bodies = [value.slice(0, value.lastIndexOf('.')), createSid() + payload]
      const forged = new Set<string>()
      for (const body of bodies) {
        for (const name of ['session', 'koa-keepsake', 'koa-keepsake session', 'koa-keepsake session session', 'koa-keepsake session\tsession\t']) {
          const { setCookie } = await target.browser().get(`/sign?name=${encodeURIComponent(name)}&value=${encodeURIComponent(body)}`)
          for (const [, mac] of setCookie.join('\n').matchAll(/\.sig=([^;]+)/g)) forged.add(`${body}.${mac}`)
        }
      }
      t.true(forged.size >= 2 * bodies.length)
      t.deepEqual(await whatOpens(target, [...forged]), [])
    }
  ]
]

/** Node refuses a header with other control characters than the tab before anybody reads it. */
function canBeSent(value: string): boolean {
  return Array.from(value).every((character) => character === '\t' || (character >= ' ' && character !== '\u007f'))
}

/** An application in which a user has logged in, and the value of the user's cookie. */
async function logIn(stage: Stage): Promise<{ target: Target; value: string }> {
  const target = await stage.start({
    ...routes,
    '/sign': (ctx) => void ctx.cookies.set(query(ctx, 'name'), query(ctx, 'value'), { signed: true })
  })
  // A ready Keygrip, so that ctx.cookies signs with SHA-256 too.
  target.app.keys = new Keygrip([secret], 'sha256')
  const browser = target.browser()
  await browser.get('/login?user=momo')
  const value = browser.cookie('session')!
  const { body } = await sendRawCookie(`${target.origin}/who`, `session=${value}`)
  if (!body.includes('"owner":"momo"')) throw new Error('the cookie as it was sent does not open the session')
  return { target, value }
}

/** The values that do anything but give an empty new session without a call of the store, and what they do. */
async function whatOpens({ origin, calls }: Target, values: readonly string[]): Promise<string[]> {
  const opened: string[] = []
  const before = calls().length
  for (let at = 0; at < values.length; at += atOnce) {
    const answers = values.slice(at, at + atOnce).map(async (value) => sendRawCookie(`${origin}/who`, `session=${value}`))
    for (const [index, { status, head, body }] of (await Promise.all(answers)).entries()) {
      if (status === 200 && body === JSON.stringify(nobody) && !/set-cookie/i.test(head)) continue
      opened.push(`${values[at + index]}: ${status} ${body}`)
    }
  }
  if (calls().length > before) opened.push(`calls of the store: ${calls().slice(before).join(' ')}`)
  return opened
}

function otherSpellings(value: string): string[] {
  const [sid, ...rest] = value.split('.') as [string, ...string[]]
  const mac = rest.at(-1)!
  return [
    value.toUpperCase(), value.toLowerCase(), value.replaceAll('-', '+').replaceAll('_', '/'), encodeURIComponent(value).replaceAll('.', '%2E'),
    value.replaceAll('.', '%2e'), `${value}=`, `${value}==`, `${value}.`, `.${value}`, value.replace('.', '..'), value.replaceAll('.', ':'), value.replaceAll('.', '\u00b7'),
    `""${value}""`, `"${value}`, `${value}"`, `'${value}'`, `\\"${value}\\"`, `s:${value}`, `s%3A${value}`, `${value},`, `${value} x`, `x ${value}`, `${value}\u00a0`, `\u00a0${value}`,
    `${value}.${mac}`, `${sid}.${sid}`, `${mac}.${sid}`, `${mac}.${mac}`, sid, mac, `${sid}.`, `.${mac}`, `${sid}.${'A'.repeat(43)}`, `${sid}.${mac}${'A'.repeat(5000)}`,
    Buffer.from(value).toString('base64url'), Buffer.from(value).toString('hex'), JSON.stringify({ sid }), `${sid}.${Buffer.from(mac, 'base64url').toString('hex')}`,
    // The last of 43 characters of base64url has two bits that stand for nothing.
    ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split('').map((last) => value.slice(0, -1) + last)
  ]
}

function otherSignatures(value: string): string[] {
  const body = value.slice(0, value.lastIndexOf('.'))
  const texts = [body, `session=${body}`, `session\n${body}`, `koa-keepsake session\nsession\n${body}\n`, `koa-keepsake session\nadmin\n${body}`, `koa-keepsake session\n\n${body}`]
  const right = `koa-keepsake session\nsession\n${body}`
  return [
    ...texts.map((text) => new Keygrip([secret], 'sha256').sign(text)),
    ...['sha1', 'sha384', 'sha512'].map((algorithm) => new Keygrip([secret], algorithm).sign(right)),
    ...[otherSecret, secret.toUpperCase(), ` ${secret}`, secret.slice(1), 'session', '\0'].map((key) => new Keygrip([key], 'sha256').sign(right))
  ].map((mac) => `${body}.${mac}`)
}
