/** A value of a setting that is on or off. Text is `true`, `false`, `1`, `0`, `yes`, `no`, `on` or `off`, in any case. */
export type Flag = boolean | string

/**
 * The settings of Flask and Flask-Session by name, as `process.env` or an object of your own holds them. Other names may be there too.
 *
 * Every setting may be text. `null` is Flask's `None`. `undefined` means absent.
 */
export interface SettingsSource {
  /** The secret that signs the cookie. @default app.keys */
  SECRET_KEY?: string | Uint8Array | null | undefined
  /** Older secrets, newest first, which are still accepted. As text: a JSON array. @default none */
  SECRET_KEY_FALLBACKS?: string | readonly (string | Uint8Array)[] | null | undefined
  /** `null` or `cookie`, `memory`, `filesystem` or `file`, `redis`, `memcached`, `mongodb`, `sqlalchemy` or `sql`, in any case. @default 'filesystem' */
  SESSION_TYPE?: string | null | undefined
  /** Whether a new session's cookie outlives the browser. @default false */
  SESSION_PERMANENT?: Flag | undefined
  /** `false`: the cookie is the bare sid. A session in the cookie is always signed. @default true */
  SESSION_USE_SIGNER?: Flag | undefined
  /** Prefix of every id in the store. @default 'session:' */
  SESSION_KEY_PREFIX?: string | undefined
  /** 16 to 32. Accepted without effect: the sid always has 32 random bytes. */
  SESSION_ID_LENGTH?: number | string | null | undefined
  /** `msgpack` or `json`. Accepted without effect: records are always JSON text. */
  SESSION_SERIALIZATION_FORMAT?: string | undefined
  /** Accepted without effect: a store that needs cleanup schedules it itself. */
  SESSION_CLEANUP_N_REQUESTS?: number | string | null | undefined
  /** Idle lifetime in seconds. @default 31 days */
  PERMANENT_SESSION_LIFETIME?: number | string | undefined
  /** Whether a request that reads a session moves its deadline. @default true */
  SESSION_REFRESH_EACH_REQUEST?: Flag | undefined

  /** @default 'session' */
  SESSION_COOKIE_NAME?: string | undefined
  /** Absent, `null`, `false` or empty: the cookie is only for the host that set it. */
  SESSION_COOKIE_DOMAIN?: string | false | null | undefined
  /** @default '/' */
  SESSION_COOKIE_PATH?: string | null | undefined
  /** @default true */
  SESSION_COOKIE_HTTPONLY?: Flag | undefined
  /** `'auto'` follows `ctx.secure`. @default 'auto' */
  SESSION_COOKIE_SECURE?: Flag | undefined
  /** `Lax`, `Strict` or `None` in any case. `null` or `false`: the cookie has no `SameSite`. @default 'Lax' */
  SESSION_COOKIE_SAMESITE?: string | false | null | undefined
  /** @default false */
  SESSION_COOKIE_PARTITIONED?: Flag | undefined

  /** The directory of the files. @default 'sessions' */
  SESSION_FILE_DIR?: string | undefined
  /** The maximum number of sessions in files. `0`: no limit. @default 10_000 */
  SESSION_FILE_THRESHOLD?: number | string | undefined
  /** The mode of the files: `384`, `0o600` or as text also `'600'` and `'0o600'`. @default 0o600 */
  SESSION_FILE_MODE?: number | string | undefined
  /** A URL or a client. @default 'redis://127.0.0.1:6379' */
  SESSION_REDIS?: string | object | null | undefined
  /** A URL, `host:port`, several of them, or a client. @default '127.0.0.1:11211' */
  SESSION_MEMCACHED?: string | object | null | undefined
  /** A URL or a client. @default 'mongodb://127.0.0.1:27017' */
  SESSION_MONGODB?: string | object | null | undefined
  /** The name of the database. @default the one that the URL names, or 'flask_session' */
  SESSION_MONGODB_DB?: string | undefined
  /** The name of the collection. @default 'sessions' */
  SESSION_MONGODB_COLLECT?: string | undefined
  /** A URL in SQLAlchemy's form or in that of `storeFromUrl()`, or a Knex instance. @default SQLALCHEMY_DATABASE_URI */
  SESSION_SQLALCHEMY?: string | object | null | undefined
  /** @default 'sessions' */
  SESSION_SQLALCHEMY_TABLE?: string | undefined
  /** Absent or `null`: where the connection looks first. */
  SESSION_SQLALCHEMY_SCHEMA?: string | null | undefined
  /** Flask-SQLAlchemy's database, used when `SESSION_SQLALCHEMY` is absent. */
  SQLALCHEMY_DATABASE_URI?: string | URL | null | undefined

  /** Refused unless `null`. The error says what to do instead. */
  SESSION_CACHELIB?: null | undefined
  SESSION_DYNAMODB?: null | undefined
  SESSION_DYNAMODB_TABLE?: null | undefined
  SESSION_SQLALCHEMY_SEQUENCE?: null | undefined
  SESSION_SQLALCHEMY_BIND_KEY?: null | undefined
}

export type SettingName = keyof SettingsSource

// A mapped type over the interface: the compiler keeps the list complete.
const allNames = {
  SECRET_KEY: 0, SECRET_KEY_FALLBACKS: 0, SESSION_TYPE: 0, SESSION_PERMANENT: 0, SESSION_USE_SIGNER: 0, SESSION_KEY_PREFIX: 0, SESSION_ID_LENGTH: 0,
  SESSION_SERIALIZATION_FORMAT: 0, SESSION_CLEANUP_N_REQUESTS: 0, PERMANENT_SESSION_LIFETIME: 0, SESSION_REFRESH_EACH_REQUEST: 0,
  SESSION_COOKIE_NAME: 0, SESSION_COOKIE_DOMAIN: 0, SESSION_COOKIE_PATH: 0, SESSION_COOKIE_HTTPONLY: 0, SESSION_COOKIE_SECURE: 0,
  SESSION_COOKIE_SAMESITE: 0, SESSION_COOKIE_PARTITIONED: 0, SESSION_FILE_DIR: 0, SESSION_FILE_THRESHOLD: 0, SESSION_FILE_MODE: 0,
  SESSION_REDIS: 0, SESSION_MEMCACHED: 0, SESSION_MONGODB: 0, SESSION_MONGODB_DB: 0, SESSION_MONGODB_COLLECT: 0, SESSION_SQLALCHEMY: 0,
  SESSION_SQLALCHEMY_TABLE: 0, SESSION_SQLALCHEMY_SCHEMA: 0, SQLALCHEMY_DATABASE_URI: 0, SESSION_CACHELIB: 0, SESSION_DYNAMODB: 0,
  SESSION_DYNAMODB_TABLE: 0, SESSION_SQLALCHEMY_SEQUENCE: 0, SESSION_SQLALCHEMY_BIND_KEY: 0
} satisfies { [Name in keyof Required<SettingsSource>]: 0 }

/** Every name that is known. */
export const settingNames: readonly string[] = Object.keys(allNames)
