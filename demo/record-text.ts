import type { SessionRecord } from '../src/index.js'

/** A token of JSON text and what it is, so that a template can colour it. */
export interface Token {
  kind: 'key' | 'string' | 'number' | 'word' | 'plain' | 'masked'
  text: string
}

const mask = '•'.repeat(12)
const tokenPattern = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)/g

/** The record as it is stored, indented; what opens something is masked. */
export function tokensOf(record: SessionRecord): Token[] {
  const shown = 'csrf' in record.data ? { ...record, data: { ...record.data, csrf: mask } } : record
  return tokensOfJson(JSON.stringify(shown, null, 2))
}

export function tokensOfJson(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  for (const match of text.matchAll(tokenPattern)) {
    const [whole, string, colon, number] = match
    if (match.index > at) tokens.push({ kind: 'plain', text: text.slice(at, match.index) })
    tokens.push({ kind: kindOf(string, colon, number), text: string ?? whole })
    if (colon !== undefined) tokens.push({ kind: 'plain', text: colon })
    at = match.index + whole.length
  }
  return [...tokens, { kind: 'plain', text: text.slice(at) }]
}

function kindOf(string: string | undefined, colon: string | undefined, number: string | undefined): Token['kind'] {
  if (string !== undefined) return colon !== undefined ? 'key' : string === `"${mask}"` ? 'masked' : 'string'
  return number === undefined ? 'word' : 'number'
}
