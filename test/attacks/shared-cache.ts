import { request, type IncomingHttpHeaders } from 'node:http'

export interface Response {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

interface Stored extends Response {
  readonly path: string
  /** What the request had in each header that `Vary` names. `undefined`: `Vary: *`, which no request matches. */
  readonly selecting: ReadonlyMap<string, string> | undefined
}

/**
 * A shared cache that stores and serves all that RFC 9111 lets it, in the worst case for privacy: it takes every response for fresh unless
 * it must ask first, and keeps `Set-Cookie` with the rest (section 7.3).
 */
export class SharedCache {
  readonly #origin: string
  #stored: Stored[] = []
  /** How many responses came out of the cache. */
  hits = 0

  constructor(origin: string) {
    this.#origin = origin
  }

  async get(path: string, cookie: string, person: string): Promise<Response> {
    const headers = { 'x-person': person, ...(cookie !== '' && { cookie }) }
    const stored = this.#stored.find((each) => each.path === path && isSelected(each, headers))
    if (stored && isFresh(stored)) {
      this.hits++
      return stored
    }
    const etag = stored?.headers.etag
    const answer = await send(this.#origin, path, { ...headers, ...(etag !== undefined && { 'if-none-match': etag }) })
    if (stored && answer.status === 304) {
      this.hits++
      // Section 4.3.4: the stored response, with the headers of the answer instead of those of the same name.
      return { ...stored, headers: { ...stored.headers, ...answer.headers } }
    }
    if (answer.status === 200 && isStorable(answer)) {
      this.#stored = this.#stored.filter((each) => each !== stored)
      this.#stored.push({ ...answer, path, selecting: selectingOf(answer, headers) })
    }
    return answer
  }
}

function directivesOf({ headers }: Response): Map<string, string> {
  const parts = (headers['cache-control'] ?? '').toLowerCase().split(',')
  return new Map(parts.map((part) => part.trim().split('=')).map(([name = '', value = '']) => [name, value]))
}

/** Sections 3 and 5.2.2. */
function isStorable(response: Response): boolean {
  const directives = directivesOf(response)
  return !directives.has('no-store') && directives.get('private') === undefined
}

/** Sections 4.2 and 5.2.2.4. Without a maximum age, a cache may guess one (section 4.2.2). */
function isFresh(response: Response): boolean {
  const directives = directivesOf(response)
  if (directives.has('no-cache')) return false
  const age = directives.get('s-maxage') ?? directives.get('max-age')
  if (age !== undefined) return Number(age) > 0
  return response.headers.expires === undefined || Date.parse(response.headers.expires) > Date.now()
}

/** Section 4.1. */
function selectingOf({ headers }: Response, sent: Record<string, string>): Map<string, string> | undefined {
  const names = (headers.vary ?? '').toLowerCase().split(',').map((name) => name.trim()).filter((name) => name !== '')
  return names.includes('*') ? undefined : new Map(names.map((name) => [name, sent[name] ?? '']))
}

function isSelected({ selecting }: Stored, sent: Record<string, string>): boolean {
  return selecting !== undefined && [...selecting].every(([name, value]) => (sent[name] ?? '') === value)
}

function send(origin: string, path: string, headers: Record<string, string>): Promise<Response> {
  return new Promise((resolve, reject) => {
    const outgoing = request(origin + path, { headers }, (incoming) => {
      let text = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (part: string) => (text += part))
      incoming.on('error', reject)
      incoming.on('end', () => resolve({ status: incoming.statusCode!, headers: incoming.headers, text }))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}
