import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { settings, SessionError, type SessionOptions } from '../src/index.js'

/** The environment holds a value that cannot be used. It is reported in one line, without a stack. */
export class ConfigError extends Error {}

export interface Config {
  host: string
  port: number
  /** What `session()` takes. Without SECRET_KEY they have no `keys`: a key is made and kept in `secretFile`. */
  options: SessionOptions
  /** Beside the directory of the sessions, never in it: a copy of the sessions alone then opens nothing. */
  secretFile: string
}

export type Environment = Readonly<Record<string, string | undefined>>

const defaultDir = join(dirname(fileURLToPath(import.meta.url)), 'var', 'sessions')

/** The directory for sessions in files: beside the demo, unless SESSION_FILE_DIR says otherwise. */
export function directoryOf(env: Environment): string {
  return resolve(env['SESSION_FILE_DIR'] ?? defaultDir)
}

/** @throws ConfigError that names the variable and what it may be. */
export function readConfig(env: Environment): Config {
  return {
    host: textOf(env, 'HOST', '127.0.0.1'),
    port: portOf(env),
    options: optionsOf({ SESSION_FILE_DIR: defaultDir, ...env }),
    secretFile: `${directoryOf(env)}.secret`
  }
}

function optionsOf(env: Environment): SessionOptions {
  try {
    return settings(env)
  } catch (error) {
    if (!(error instanceof TypeError) && !(error instanceof SessionError)) throw error
    throw new ConfigError(error.message.replace(/^settings\(source\): /, ''))
  }
}

function textOf(env: Environment, name: string, fallback: string): string {
  const value = env[name] ?? fallback
  if (value.trim() === '') throw new ConfigError(`${name} is empty: give it a value, or leave it out`)
  return value
}

function portOf(env: Environment): number {
  const text = env['PORT'] ?? '3000'
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new ConfigError(`PORT must be a whole number from 0 to 65535, not ${JSON.stringify(text)}`)
}
