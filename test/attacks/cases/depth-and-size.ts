import type { Context } from 'koa'
import type { Case } from '../stage.js'
import { routes } from './routes.js'

const maxBytes = 8000

const shapes: Record<string, (size: number) => unknown> = {
  arrays: (depth) => nest(depth, (inner) => [inner]),
  objects: (depth) => nest(depth, (inner) => ({ a: inner })),
  maps: (depth) => nest(depth, (inner) => new Map([[inner, inner === 0 ? 1 : 'x']])),
  sets: (depth) => nest(depth, (inner) => new Set([inner])),
  text: (size) => 'x'.repeat(size),
  'wide text': (size) => '漢'.repeat(size),
  escapes: (size) => '\0'.repeat(size),
  keys: (size) => Object.fromEntries(Array.from({ length: size }, (_, at) => [`k${at}`, 1])),
  bytes: (size) => Buffer.alloc(size),
  digits: (size) => BigInt(`9${'0'.repeat(size)}`)
}

/** What the session can hold, and what is too deep or too large. */
const sizes: readonly (readonly [shape: string, fits: number, tooMuch: readonly number[]])[] = [
  ['arrays', 400, [501, 10_000, 100_000]],
  ['objects', 400, [501, 10_000, 100_000]],
  ['maps', 80, [501, 10_000]],
  ['sets', 80, [501, 10_000]],
  ['text', 1000, [9000, 1_000_000]],
  ['wide text', 300, [4000, 1_000_000]],
  ['escapes', 150, [2000, 1_000_000]],
  ['keys', 100, [2000, 50_000]],
  ['bytes', 1000, [9000, 1_000_000]],
  ['digits', 1000, [9000]]
]

export const depthAndSize: readonly Case[] = [
  [
    'a value that is too deep or too large is refused with 500, and the session stays as it was',
    async (stage, t) => {
      const { browser, errors } = await stage.start(
        {
          ...routes,
          '/shape': (ctx: Context) => ctx.session.set('shape', shapes[String(ctx.query['shape'])]!(Number(ctx.query['size']))),
          '/kind': (ctx: Context) => ({ kind: typeof ctx.session.get('shape'), before: ctx.session.get('before') })
        },
        { maxBytes }
      )
      for (const [shape, fits, tooMuch] of sizes) {
        const client = browser()
        await client.get('/set?key=before&value=kept')
        for (const size of tooMuch) {
          const { status, text, setCookie } = await client.get(`/shape?shape=${encodeURIComponent(shape)}&size=${size}`)
          t.deepEqual({ status, text, setCookie }, { status: 500, text: 'Internal Server Error', setCookie: [] }, `${shape} ${size}`)
          t.deepEqual((await client.get('/kind')).json, { kind: 'undefined', before: 'kept' })
        }
        t.is((await client.get(`/shape?shape=${encodeURIComponent(shape)}&size=${fits}`)).status, 204, `${shape} ${fits}`)
        t.not(((await client.get('/kind')).json as { kind: string }).kind, 'undefined')
      }
      for (const { code } of errors as readonly (Error & { code?: string })[]) t.regex(code ?? 'none', /^ERR_SESSION_(VALUE|TOO_LARGE)$/)
    }
  ]
]

function nest(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 0
  for (let at = 0; at < depth; at++) value = wrap(value)
  return value
}
