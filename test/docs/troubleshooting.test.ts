import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { readPage, root } from './snippets.js'

// A reader who sees a message searches the page for its words.

const page = readPage('docs/troubleshooting.md')
const sources = readdirSync(fileURLToPath(new URL('src', root)), { recursive: true, encoding: 'utf8' })
  .map((name) => `src/${name.replaceAll('\\', '/')}`)
  .filter((name) => name.endsWith('.ts') && !/^src\/(testing|cli)\//.test(name))

/** Each warning and each `SessionError` in the source: the longest part of its text that is always the same. */
function messagesIn(call: RegExp): [file: string, text: string][] {
  return sources.flatMap((file) => {
    const source = readPage(file)
    return Array.from(source.matchAll(call), ({ index, 0: start }): [string, string] => [file, longestPart(source.slice(index + start.length))]).filter(([, text]) => text !== '')
  })
}

/** The first text after a call's opening bracket, or `''` if the call gets a variable. */
function longestPart(rest: string): string {
  const [, text = ''] = /^\s*(?:'ERR_\w+',\s*)?((?:(?:`(?:[^`\\]|\\.)*`|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")(?:\s*\+\s*)?)+)/.exec(rest) ?? []
  const parts = text.replace(/^.|.$/g, '').replace(/['"`]\s*\+\s*['"`]/g, '').replace(/\\(.)/g, '$1').split(/\$\{(?:[^{}]|\{[^}]*\})*\}/)
  // A reader searches for the beginning, so the advice at the end need not be there.
  return parts.map((part) => part.split(/: |; /)[0]!).sort((one, other) => other.length - one.length)[0]!
}

const shortest = 12

test('every warning is on the page', (t) => {
  const warnings = messagesIn(/(?:warnOnce|emitWarning)\((?!text)/g)
  t.true(warnings.length > 14, String(warnings.length))
  t.deepEqual(warnings.filter(([, text]) => text.length >= shortest && !page.includes(text)), [])
})

test('every SessionError is on the page', (t) => {
  const errors = messagesIn(/new SessionError\(/g)
  t.true(errors.length > 15, String(errors.length))
  t.deepEqual(errors.filter(([, text]) => text.length >= shortest && !page.includes(text)), [])
})

test('every error of ctx.session that names it is on the page', (t) => {
  const errors = messagesIn(/new TypeError\(/g).filter(([file]) => /^src\/(context-property|middleware|option-advice)|request\/(changes|session-proxy)/.test(file))
  const general = /update\(object\)|expects|a key must be|a symbol|an accessor|skip must|expected an object with the data|cannot be a key/
  t.true(errors.length > 8, String(errors.length))
  t.deepEqual(errors.filter(([, text]) => text.length >= shortest && !general.test(text) && !page.includes(text)), [])
})

test('every code of a SessionError is on the page', (t) => {
  const [, codes = ''] = readPage('src/errors.ts').split('export type SessionErrorCode')
  for (const [, code] of codes.split('const statusByCode')[0]!.matchAll(/'(\w+)'/g)) t.true(page.includes(`\`${code}\``), code)
})
