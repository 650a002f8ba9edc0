import { nearest } from '../checks.js'
import { settingNames } from './names.js'
import type { SettingsReader } from './reader.js'

/** Names that other programs set and that have nothing to do with the sessions of a web application. They are ignored. */
const foreignNames: ReadonlySet<string> = new Set([
  // The X Session Management Protocol: GNOME, KDE, Xfce and others set it for every program that is started on their desktop.
  'SESSION_MANAGER'
])

/** Names that other libraries use, and the setting that does the same. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ['SESSION_SECRET', 'SECRET_KEY'],
  ['SESSION_LIFETIME', 'PERMANENT_SESSION_LIFETIME, in seconds'],
  ['SESSION_DRIVER', 'SESSION_TYPE'],
  ['SESSION_STORE', 'SESSION_TYPE'],
  ['SESSION_PREFIX', 'SESSION_KEY_PREFIX'],
  ...['NAME', 'DOMAIN', 'PATH', 'HTTPONLY', 'SECURE', 'SAMESITE', 'PARTITIONED'].map((name): [string, string] => [`SESSION_${name}`, `SESSION_COOKIE_${name}`])
])

/** Reports each name that must be a setting and is none, with the one that is probably meant. */
export function reportUnknownNames(reader: SettingsReader): void {
  const unknown = reader.names.filter((name) => looksLikeSetting(name) && !settingNames.includes(name) && !foreignNames.has(name))
  for (const name of unknown) reader.addProblem(`${written(name)} is not a setting${adviceOn(name)}`)
  if (unknown.length > 0) reader.addProblem(`known settings are ${settingNames.join(', ')}`)
}

/** An environment has many other names, among them `SECRET_KEY_BASE` of Rails. */
function looksLikeSetting(name: string): boolean {
  return /^(?:PERMANENT_)?SESSION_|^SECRET_KEY_FALLBACK/.test(name)
}

function adviceOn(name: string): string {
  const other = otherNames.get(name)
  if (other !== undefined) return ` (use ${other})`
  // What nearly all names begin with would make them all alike.
  const meant = nearest(withoutPrefix(name), settingNames.map(withoutPrefix))
  return meant === undefined ? '' : ` (did you mean ${settingNames.find((known) => withoutPrefix(known) === meant)}?)`
}

function withoutPrefix(name: string): string {
  return name.replace(/^SESSION_/, '')
}

/** The name, with whatever else than word characters it has made visible. */
function written(name: string): string {
  return /^\w{1,60}$/.test(name) ? name : JSON.stringify(name.slice(0, 60))
}
