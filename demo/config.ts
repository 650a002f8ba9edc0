import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The environment holds a value that cannot be meant: told in one line, without a stack. */
export class ConfigError extends Error {}

export interface FilePlace {
  type: 'files'
  dir: string
  threshold: number
  mode: number
}

export interface RedisPlace {
  type: 'redis'
  url: string
}

export interface Config {
  host: string
  port: number
  place: FilePlace | RedisPlace
  prefix: string
  cookieName: string
  /** How long a remembered session may lie idle, in milliseconds. */
  lifetime: number
  /** Absent: one is made and kept in `secretFile`. */
  secret: string | undefined
  /** Beside the directory of the sessions, never in it: a copy of the sessions alone then opens nothing. */
  secretFile: string
}

type Environment = Record<string, string | undefined>

const day = 24 * 3600
const defaultDir = join(dirname(fileURLToPath(import.meta.url)), 'var', 'sessions')

/** @throws ConfigError which names the variable and what it may be. */
export function readConfig(env: Environment): Config {
  const dir = resolve(textOf(env, 'SESSION_FILE_DIR', defaultDir))
  return {
    host: textOf(env, 'HOST', '127.0.0.1'),
    port: numberOf(env, 'PORT', 3000, 0, 65_535),
    place: placeOf(env, dir),
    prefix: env['SESSION_KEY_PREFIX'] ?? 'session:',
    cookieName: textOf(env, 'SESSION_COOKIE_NAME', 'session'),
    lifetime: numberOf(env, 'PERMANENT_SESSION_LIFETIME', 31 * day, 1, 3650 * day) * 1000,
    secret: env['SECRET_KEY'] === undefined ? undefined : textOf(env, 'SECRET_KEY', ''),
    secretFile: `${dir}.secret`
  }
}

function placeOf(env: Environment, dir: string): FilePlace | RedisPlace {
  const type = textOf(env, 'SESSION_TYPE', 'filesystem')
  switch (type) {
    case 'file':
    case 'filesystem':
      return { type: 'files', dir, threshold: numberOf(env, 'SESSION_FILE_THRESHOLD', 10_000, 0, Number.MAX_SAFE_INTEGER), mode: modeOf(env) }
    case 'redis':
      return { type: 'redis', url: redisUrlOf(env) }
    default:
      throw new ConfigError(`SESSION_TYPE must be filesystem or redis, not ${JSON.stringify(type)}`)
  }
}

function textOf(env: Environment, name: string, fallback: string): string {
  const value = env[name] ?? fallback
  if (value.trim() === '') throw new ConfigError(`${name} is empty: give it a value, or leave it out`)
  return value
}

function numberOf(env: Environment, name: string, fallback: number, least: number, most: number): number {
  const text = env[name]
  if (text === undefined) return fallback
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= least && number <= most) return number
  const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`
  throw new ConfigError(`${name} must be a whole number ${range}, not ${JSON.stringify(text)}`)
}

/** As chmod takes it, `600` or `0o600`; or 384, which is the same in decimal and what Python programs write. */
function modeOf(env: Environment): number {
  const text = textOf(env, 'SESSION_FILE_MODE', '600')
  const octal = /^(?:0o?)?([0-7]{3})$/.exec(text)?.[1]
  const mode = octal === undefined ? Number(text === '384' && text) : Number.parseInt(octal, 8)
  if ((mode & 0o700) === 0o600) return mode
  throw new ConfigError(`SESSION_FILE_MODE must be an octal file mode which the owner can read and write, such as 600, not ${JSON.stringify(text)}`)
}

function redisUrlOf(env: Environment): string {
  const url = textOf(env, 'SESSION_REDIS', 'redis://127.0.0.1:6379')
  // The value may hold a password: it is not repeated.
  if (/^rediss?:\/\//.test(url) && URL.canParse(url)) return url
  throw new ConfigError('SESSION_REDIS must be a URL such as redis://127.0.0.1:6379')
}
