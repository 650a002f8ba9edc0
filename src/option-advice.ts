import type { Advice } from './checks.js'

/** Advice for the names of options of koa-session, koa-generic-session and express-session, and for options of ours in the wrong object. */
const counterparts: Advice = {
  key: 'is now name',
  secret: 'is now keys: [secret]',
  secrets: 'is now keys',
  maxAge: 'is now lifetime, in milliseconds; for a cookie that outlives the browser also set permanent: true',
  ttl: 'is now lifetime, in milliseconds',
  rolling: 'is now refreshEachRequest',
  renew: 'is now refreshEachRequest',
  autoCommit: 'is not needed: changes are saved at the end of the request; to save earlier call ctx.session.save()',
  resave: 'is not needed: only changes are saved',
  saveUninitialized: 'is not needed: a session is stored once it has data',
  unset: 'is not needed: ctx.session = null destroys the session',
  overwrite: 'is not needed',
  encode: 'is not needed: values are stored as they are; to encrypt them use seal',
  decode: 'is not needed: values are stored as they are',
  genid: 'is not needed: the library makes the sid',
  genSid: 'is not needed: the library makes the sid',
  externalKey: 'is now carrier: { read(ctx), write(ctx, token) }',
  sessionIdStore: 'is now carrier: { read(ctx), write(ctx, token) }',
  valid: 'has no counterpart: check the data in a middleware after session(), and call ctx.session.clear()',
  beforeSave: 'has no counterpart: change the data in a middleware after session()',
  defer: 'is not needed: ctx.session is no promise',
  allowEmpty: 'is not needed: a session is stored once it has data',
  errorHandler: "is not needed: listen to app.on('error'), and see onStoreError",
  reconnectTimeout: 'is now storeTimeout, in milliseconds',
  ContextStore: 'is now store: one store for all requests',
  proxy: 'is now app.proxy',
  httpOnly: 'is now cookie.httpOnly',
  secure: 'is now cookie.secure',
  sameSite: 'is now cookie.sameSite',
  domain: 'is now cookie.domain',
  path: 'is now cookie.path',
  partitioned: 'is now cookie.partitioned',
  priority: 'is now cookie.priority',
  dir: 'is an option of the store: fileStore({ dir })',
  threshold: 'is an option of the store: fileStore({ threshold })',
  mode: 'is an option of the store: fileStore({ mode })'
}

/** The names of Flask's and Flask-Session's settings. */
const flaskNames = /^(?:SESSION_|SECRET_KEY|PERMANENT_SESSION_LIFETIME$|SQLALCHEMY_)/

/** Returns advice for those of the options that are named as in another library or in Flask. */
export function adviceOnForeign(options: object): Advice {
  const settings = Object.keys(options ?? {}).filter((name) => flaskNames.test(name))
  return { ...counterparts, ...Object.fromEntries(settings.map((name) => [name, `is a setting of Flask: write session(settings({ ${name}: … }))`])) }
}

/** Refuses the calls of koa-session: `session(app)` and `session(options, app)`. @param second the second argument of `session()`. */
export function assertNoApplication(where: string, options: unknown, second: unknown): void {
  if (isApplication(options)) throw new TypeError(`${where}: expected an object of options, got an application: write app.use(session()), or app.use(session({ … }))`)
  if (second === undefined) return
  throw new TypeError(`${where}: expected one argument, got ${isApplication(second) ? 'an application as the second one' : 'two'}: write app.use(session({ … }))`)
}

/** Returns what to write instead of a value that is no store. */
export function adviceOnStore(value: unknown): string {
  if (typeof value === 'string' || value instanceof URL) return " (for a URL, storeFromUrl('redis://…'))"
  if (typeof value === 'function') return ' (call the function that makes the store, as in fileStore())'
  if (value instanceof Promise) return ' (await the promise first)'
  if (typeof value !== 'object' || value === null) return ''
  return 'on' in value ? ' (for a client, for example redisStore({ client }))' : ''
}

function isApplication(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { use, callback } = value as Record<string, unknown>
  return typeof use === 'function' && typeof callback === 'function'
}
