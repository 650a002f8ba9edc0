import type { Outcome } from './bar.js'
import { counts } from './counts.js'
import { differentKeys } from './different-keys.js'
import { plainCount } from './handlers.js'
import { keepsakeLibrary, koaSessionLibrary, withApp, type Library } from './library.js'
import { logoutBesideUpload, type LogoutOutcome } from './logout.js'
import type { RaceSettings } from './settings.js'
import { stealCookies, type Theft } from './theft.js'

/** The first requests of a process are slow. Without these, the library that comes first would look slow. */
const warmUp: RaceSettings = { parallel: 20, delay: 0 }

/** The results of one library, for all kinds of traffic. */
export interface Result {
  name: string
  keys: Outcome
  counts: Outcome
  /** The same with `count = count + 1`, the line that both libraries understand, unless `counts` used it. */
  plainCounts: Outcome | undefined
  logout: LogoutOutcome
  /** With the login that only sets the user, and with the one that also asks for a new secret. */
  thefts: { plain: Theft; secure: Theft }
}

export interface Run {
  settings: RaceSettings
  results: Result[]
}

/** Sends the same traffic through each library, one after the other, so that neither takes the processor from the other. */
export async function run(settings: RaceSettings, libraries: readonly Library[] = [koaSessionLibrary, keepsakeLibrary]): Promise<Run> {
  const results: Result[] = []
  for (const library of libraries) await withApp(library, (origin) => counts(origin, warmUp))
  for (const library of libraries) results.push(await withApp(library, (origin) => visit(library, origin, settings)))
  return { settings, results }
}

async function visit({ name, count }: Library, origin: string, settings: RaceSettings): Promise<Result> {
  return {
    name,
    keys: await differentKeys(origin, settings),
    counts: await counts(origin, settings),
    plainCounts: count === plainCount ? undefined : await counts(origin, settings, '/plain-count'),
    logout: await logoutBesideUpload(origin, settings),
    thefts: { plain: await stealCookies(origin, '/login'), secure: await stealCookies(origin, '/secure-login') }
  }
}
