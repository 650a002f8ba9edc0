import { readFile } from 'node:fs/promises'
import test from 'ava'
import { settings } from '../../src/settings/index.js'
import { settingNames } from '../../src/settings/names.js'

function messageOf(source: object): string {
  try {
    settings(source)
  } catch (error) {
    if (error instanceof TypeError) return error.message
    throw error
  }
  return ''
}

const misspelt: readonly [name: string, meant: string][] = [
  ['SESSION_TPYE', 'did you mean SESSION_TYPE?'],
  ['SESSION_FILE_THRESHHOLD', 'did you mean SESSION_FILE_THRESHOLD?'],
  ['SESSION_COOKIE_HTTP_ONLY', 'did you mean SESSION_COOKIE_HTTPONLY?'],
  ['SESSION_COOKIE_SAME_SITE', 'did you mean SESSION_COOKIE_SAMESITE?'],
  ['SESSION_REDSI', 'did you mean SESSION_REDIS?'],
  ['SESSION_SECRET_KEY', 'did you mean SECRET_KEY?'],
  ['PERMANENT_SESSION_LIFETIM', 'did you mean PERMANENT_SESSION_LIFETIME?'],
  ['SECRET_KEY_FALLBACK', 'did you mean SECRET_KEY_FALLBACKS?'],
  ['SESSION_SECRET', 'use SECRET_KEY'],
  ['SESSION_LIFETIME', 'use PERMANENT_SESSION_LIFETIME, in seconds'],
  ['SESSION_STORE', 'use SESSION_TYPE'],
  ['SESSION_PREFIX', 'use SESSION_KEY_PREFIX'],
  ['SESSION_HTTPONLY', 'use SESSION_COOKIE_HTTPONLY']
]
for (const [name, advice] of misspelt) {
  test(`${name} is refused: ${advice}`, (t) => {
    t.true(messageOf({ [name]: 'x' }).startsWith(`settings(source): ${name} is not a setting (${advice})`), messageOf({ [name]: 'x' }))
  })
}

test('a name that is like no other is refused without a suggestion', (t) => {
  t.true(messageOf({ SESSION_OF_PARLIAMENT: 'x' }).startsWith('settings(source): SESSION_OF_PARLIAMENT is not a setting; known settings are SECRET_KEY, '))
})

test('an unknown name is answered with every known one', (t) => {
  const message = messageOf({ SESSION_OF_PARLIAMENT: 'x' })
  for (const name of settingNames) t.true(message.includes(name), name)
})

test('one error of one line lists all problems', (t) => {
  const message = messageOf({ SESSION_TPYE: 'redis', SESSION_SECRET: 'x', SESSION_FILE_MODE: '8', SESSION_PERMANENT: 'perhaps', 'SESSION_\n': '' })
  for (const name of ['SESSION_TPYE', 'SESSION_SECRET', 'SESSION_FILE_MODE', 'SESSION_PERMANENT']) t.regex(message, new RegExp(`${name} (is not a setting|must be)`))
  t.true(message.includes(String.raw`"SESSION_\n" is not a setting`))
  t.notRegex(message, /\n/)
})

test('names that a desktop sets in every environment are ignored', (t) => {
  t.is(messageOf({ SESSION_MANAGER: 'local/host:@/tmp/.ICE-unix/1,unix/host:/tmp/.ICE-unix/1' }), '')
})

test('names that do not look like a setting are left alone', (t) => {
  const others = { PATH: '/bin', SECRET_KEY_BASE: 'of Rails', DESKTOP_SESSION: 'x', XDG_SESSION_TYPE: 'x11', AWS_SESSION_TOKEN: 'x', SESSIONNAME: 'Console', DEBUG: true, session_type: 1 }
  t.is(messageOf(others), '')
})

test('process.env is a source', (t) => {
  const { SESSION_COOKIE_NAME: before } = process.env
  process.env['SESSION_COOKIE_NAME'] = 'from-the-environment'
  t.teardown(() => {
    if (before === undefined) delete process.env['SESSION_COOKIE_NAME']
    else process.env['SESSION_COOKIE_NAME'] = before
  })
  t.is(settings(process.env).name, 'from-the-environment')
})

test.serial('a server without a SESSION_TYPE is warned of once: sessions would be kept in files', async (t) => {
  const warnings: Error[] = []
  const collect = (warning: Error) => void warnings.push(warning)
  process.on('warning', collect)
  t.teardown(() => process.removeListener('warning', collect))
  for (let count = 0; count < 2; count++) t.is(messageOf({ SESSION_REDIS: 'redis://u:hunter2@h' }), '')
  t.is(messageOf({ SESSION_TYPE: 'memory', SESSION_MONGODB: 'mongodb://h' }), '')
  await new Promise(setImmediate)
  t.deepEqual(
    warnings.map(({ message }) => message),
    ['settings(source): SESSION_REDIS has no effect: SESSION_TYPE is not set, so sessions are kept in files; set SESSION_TYPE=redis']
  )
})

test('docs/settings.md has a row for each setting, and for no other', async (t) => {
  const text = await readFile(new URL('../../docs/settings.md', import.meta.url), 'utf8')
  const table = text.slice(text.indexOf('| setting |'), text.indexOf('### '))
  const rows = Array.from(table.matchAll(/^\| `(\w+)` \|/gm), ([, name]) => name!)
  t.deepEqual(rows.toSorted(), [...settingNames].toSorted())
})
