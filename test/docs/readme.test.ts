import test from 'ava'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readPage, root } from './snippets.js'

const docs = readdirSync(fileURLToPath(new URL('docs', root)), { recursive: true, encoding: 'utf8' }).map((name) => `docs/${name.replaceAll('\\', '/')}`)
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...docs.filter((name) => name.endsWith('.md'))]
const readme = readPage('README.md')

test('the README has at most 200 lines', (t) => {
  t.true(readme.trimEnd().split('\n').length <= 200)
})

test('every link in the README and the guides leads to a file and a heading that exist', (t) => {
  const broken = pages.flatMap((page) => linksOf(page).filter((link) => !leadsSomewhere(page, link)).map((link) => `${page}: ${link}`))
  t.deepEqual(broken, [])
})

test('every file and folder that the README names exists', (t) => {
  const paths = Array.from(readme.matchAll(/`((?:test|src|docs|bench)\/[\w./-]+|[\w.-]+\.(?:md|yaml))`/g), ([, path]) => path!)
  t.true(paths.length > 10)
  for (const path of paths) t.true(existsSync(new URL(path, root)), path)
})

test('compose.yaml has a server for each profile that the README names, and no other', (t) => {
  const named = Array.from(readme.matchAll(/docker compose --profile (\w+) /g), ([, name]) => name!)
  const composed = Array.from(readPage('compose.yaml').matchAll(/^ {4}profiles: \[(\w+)\]$/gm), ([, name]) => name!)
  t.deepEqual(named.toSorted(), composed.toSorted())
})

const options = namesIn('src/options.ts', 'export interface SessionOptions')
const members = namesIn('src/request/session-members.ts', 'export interface SessionMembers')
const attributes = namesIn('src/cookie/cookie-options.ts', 'export interface CookieOptions')

test('every option, every attribute of the cookie and every member is documented', (t) => {
  t.true(options.includes('store') && members.includes('loginAs') && attributes.includes('sameSite'))
  const guide = readPage('docs/options-and-members.md')
  for (const name of [...options, ...attributes]) t.regex(guide, new RegExp(`^\\| \`${name}\` \\|`, 'm'), name)
  for (const name of members) t.regex(guide, new RegExp(`^\\| [^|]*\`${name}[(\`]`, 'm'), name)
  for (const name of options) t.regex(readme, new RegExp(`^\\| \`${name}\` \\|`, 'm'), `${name} in the README`)
})

test('the guides name no option and no member that does not exist', (t) => {
  const guide = readPage('docs/options-and-members.md')
  const rows = (heading: string) => {
    const [, section = ''] = guide.split(new RegExp(`^## ${heading}$`, 'm'))
    return Array.from(section.split(/^## /m)[0]!.matchAll(/^\| ((?:`[^`]+`(?:, )?)+) \|/gm), ([, names]) => Array.from(names!.matchAll(/`(\w+)/g), ([, name]) => name!)).flat()
  }
  t.deepEqual(rows('Options of session\\(\\)').toSorted(), options.toSorted())
  t.deepEqual(rows('The cookie').toSorted(), attributes.toSorted())
  t.deepEqual(rows('Members of ctx.session').toSorted(), members.toSorted())
})

test('every event, every reason and every error code is documented', (t) => {
  const guide = readPage('docs/failures.md')
  const [, events = ''] = readPage('src/events.ts').split('export type SessionEvent')
  const [, codes = ''] = readPage('src/errors.ts').split('export type SessionErrorCode')
  const names = [...events.split('/** The `node:diagnostics_channel`')[0]!.matchAll(/'([\w-]+)'/g), ...codes.split('const statusByCode')[0]!.matchAll(/'(\w+)'/g)].map(([, name]) => name!)
  t.true(names.includes('dropped') && names.includes('late') && names.includes('ERR_SESSION_VALUE'))
  for (const name of names) t.true(guide.includes(`\`${name}\``), name)
})

test('every option of the stores that this project describes in docs/stores is documented', (t) => {
  const interfaces = {
    file: ['src/stores/file/file-store.ts', 'FileStoreOptions'],
    redis: ['src/stores/redis/redis-store.ts', 'RedisStoreOptions'],
    memory: ['src/stores/memory/memory-store.ts', 'MemoryStoreOptions']
  } as const
  for (const [page, [file, name]] of Object.entries(interfaces)) {
    for (const option of namesIn(file, `export interface ${name}`)) t.regex(readPage(`docs/stores/${page}.md`), new RegExp(`^\\| \`${option}\` \\|`, 'm'), `${page}: ${option}`)
  }
})

/** The names of the members of an interface. */
function namesIn(file: string, start: string): string[] {
  const text = readPage(file)
  const body = text.slice(text.indexOf(start)).split(/^\}/m)[0]!
  return [...new Set(Array.from(body.matchAll(/^ {2}(?:readonly )?(\w+)[?(<:]/gm), ([, name]) => name!))]
}

/** The links of a page within the repository. */
function linksOf(page: string): string[] {
  return Array.from(withoutCode(readPage(page)).matchAll(/\]\(([^)\s]+)\)/g), ([, link]) => link!).filter((link) => !/^[a-z]+:/.test(link))
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path, heading] = link.split('#') as [string, string?]
  const target = path === '' ? page : new URL(path, new URL(page, root)).href.slice(root.href.length)
  return existsSync(new URL(target, root)) && (heading === undefined || headingsOf(target).includes(heading))
}

/** The headings of a page as GitHub names them in links. */
function headingsOf(page: string): string[] {
  return Array.from(withoutCode(readPage(page)).matchAll(/^#+ (.*)$/gm), ([, heading]) =>
    heading!.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').trim().replaceAll(' ', '-')
  )
}

function withoutCode(text: string): string {
  return text.replace(/^```.*?^```$/gms, '')
}
