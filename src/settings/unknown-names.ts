import { closestName } from '../checks.js'
import { settingNames } from './names.js'
import type { SettingsReader } from './reader.js'

/** Names of other programs, which have nothing to do with the sessions of a web application. They are ignored. */
const foreignNames: ReadonlySet<string> = new Set([
  // The X Session Management Protocol: GNOME, KDE, Xfce and others set it for every program that is started on their desktop.
  'SESSION_MANAGER'
])

/** Names in other libraries, and the setting that does the same. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ['SESSION_SECRET', 'SECRET_KEY'],
  ['SESSION_LIFETIME', 'PERMANENT_SESSION_LIFETIME, in seconds'],
  ['SESSION_DRIVER', 'SESSION_TYPE'],
  ['SESSION_STORE', 'SESSION_TYPE'],
  ['SESSION_PREFIX', 'SESSION_KEY_PREFIX'],
  ...['NAME', 'DOMAIN', 'PATH', 'HTTPONLY', 'SECURE', 'SAMESITE', 'PARTITIONED'].map((name): [string, string] => [`SESSION_${name}`, `SESSION_COOKIE_${name}`])
])

/** Reports each name that looks like a setting and is none, and suggests the setting that is probably meant. */
export function reportUnknownNames(reader: SettingsReader): void {
  const unknown = reader.names.filter((name) => looksLikeSetting(name) && !settingNames.includes(name) && !foreignNames.has(name))
  for (const name of unknown) reader.addProblem(`${written(name)} is not a setting${adviceOn(name)}`)
  if (unknown.length > 0) reader.addProblem(`known settings are ${settingNames.join(', ')}`)
}

/** Reports whether a name looks like a setting. An environment has many other names, such as `SECRET_KEY_BASE` of Rails. */
function looksLikeSetting(name: string): boolean {
  return /^(?:PERMANENT_)?SESSION_|^SECRET_KEY_FALLBACK/.test(name)
}

function adviceOn(name: string): string {
  const other = otherNames.get(name)
  if (other !== undefined) return ` (use ${other})`
  // Compare without the prefix that nearly all names have, because it would make them all similar.
  const meant = closestName(withoutPrefix(name), settingNames.map(withoutPrefix))
  return meant === undefined ? '' : ` (did you mean ${settingNames.find((known) => withoutPrefix(known) === meant)}?)`
}

function withoutPrefix(name: string): string {
  return name.replace(/^SESSION_/, '')
}

/** The name for an error. Quoted if it has other characters than those of a word, so that they are visible. */
function written(name: string): string {
  return /^\w{1,60}$/.test(name) ? name : JSON.stringify(name.slice(0, 60))
}
