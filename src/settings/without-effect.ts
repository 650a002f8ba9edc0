import type { SettingName } from './names.js'
import { Refusal, type SettingsReader } from './reader.js'
import { count, orNone, wordOf } from './values.js'

const noDynamodb = 'there is no store for DynamoDB: write one with koa-keepsake/store and pass it as the option store'

/** Settings of Flask-Session that have no counterpart, each with advice. */
const withoutCounterpart = {
  SESSION_CACHELIB: 'there is no cachelib in Node: use SESSION_TYPE=filesystem, redis or memcached',
  SESSION_DYNAMODB: noDynamodb,
  SESSION_DYNAMODB_TABLE: noDynamodb,
  SESSION_SQLALCHEMY_SEQUENCE: 'the table has no sequence',
  SESSION_SQLALCHEMY_BIND_KEY: 'there are no binds: set SESSION_SQLALCHEMY to the URL or the Knex instance of that database'
} satisfies Partial<Record<SettingName, string>>

/**
 * Checks the settings that have no effect here.
 *
 * It accepts Flask-Session's default of each. It refuses other values if somebody would miss their effect, and accepts them if sessions work as
 * well without it.
 */
export function checkWithoutEffect(reader: SettingsReader): void {
  // The sid always has 32 random bytes.
  reader.read('SESSION_ID_LENGTH', orNone(count(16, 32)))
  // Records are always JSON text.
  reader.read('SESSION_SERIALIZATION_FORMAT', wordOf(['msgpack', 'json']))
  // A store that has to clean up does so in the background.
  reader.read('SESSION_CLEANUP_N_REQUESTS', orNone(count(0)))
  for (const [name, reason] of Object.entries(withoutCounterpart)) {
    reader.read(name as keyof typeof withoutCounterpart, orNone(() => new Refusal(`has no counterpart here: ${reason}`, { hidesValue: true })))
  }
}
