import { assertOptionNames } from '../../checks.js'
import { reasonOf } from '../../errors.js'
import type { SessionStore } from '../../store/index.js'
import { loadDriver } from '../load-driver.js'
import type { MongoClient } from './client.js'
import { storeOf } from './mongo-store.js'
import { resolveOptions, type MongoUrlOptions } from './options.js'

interface Driver {
  MongoClient: new (url: string, options: object) => MongoClient & { close(force?: boolean): Promise<void> }
}

/**
 * Options of the client, in milliseconds, which the URL may override. They are below the middleware's `storeTimeout` (2 s), so that a call that
 * hangs ends with an error that says why and releases its connection. They are above the time that a write may wait for the members of a
 * replica set.
 */
const defaults: { readonly [name: string]: number } = {
  serverSelectionTimeoutMS: 1_500,
  connectTimeoutMS: 1_500,
  socketTimeoutMS: 1_500,
  waitQueueTimeoutMS: 1_500
}

const optionNames = Object.keys({ database: 0, collectionName: 0, writeConcern: 0, createIndexes: 0 } satisfies {
  [Name in keyof Required<MongoUrlOptions>]: 0
})

/**
 * Opens `mongodb://[user:password@]host[:port][,host[:port]…][/database][?options]`, or `mongodb+srv://…`. The driver connects with the first
 * call. `close()` closes its client.
 *
 * @param url pass a string for several hosts with ports, which `URL` cannot hold. No error quotes it, because it may hold a password.
 * @throws TypeError for a URL or an option that is wrong; Error that says what to install if the driver is missing.
 */
export function openMongo(url: string | URL, options: MongoUrlOptions = {}, where = 'storeFromUrl(url, options)'): SessionStore {
  assertOptionNames(where, options, optionNames)
  // The driver takes the scheme in lower case only.
  const text = String(url).replace(/^[^:]*/, (scheme) => scheme.toLowerCase())
  if (!/^mongodb(\+srv)?:\/\/[^/?]/.test(text)) throw new TypeError(`${where}: url must be like mongodb://localhost:27017/app`)
  const { MongoClient } = loadDriver("storeFromUrl('mongodb://…')", ['mongodb@4.7']).driver as Driver
  const client = openClient(MongoClient, text, where)
  return storeOf(resolveOptions(where, { ...options, client }), async () => client.close())
}

function openClient(MongoClient: Driver['MongoClient'], url: string, where: string): InstanceType<Driver['MongoClient']> {
  const given = new Set(Array.from(new URLSearchParams(url.split('?')[1]).keys(), (name) => name.toLowerCase()))
  const options = Object.entries(defaults).filter(([name]) => !given.has(name.toLowerCase()))
  try {
    return new MongoClient(url, { appName: 'koa-keepsake', ...Object.fromEntries(options) })
  } catch (error) {
    // Without `cause`: it may quote the URL.
    // eslint-disable-next-line preserve-caught-error
    throw new TypeError(`${where}: the MongoDB driver refuses the url: ${withoutSecrets(reasonOf(error), url)}`)
  }
}

/** The driver's reason, or advice instead if the reason quotes the URL's user or password. */
function withoutSecrets(reason: string, url: string): string {
  const credentials = url.slice(url.indexOf('//') + 2, Math.max(url.lastIndexOf('@'), 0)).split(/[:@]/)
  return credentials.some((secret) => secret !== '' && reason.includes(secret)) ? 'look at its form, and encode special characters in the user and the password' : reason
}
