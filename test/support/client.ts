import { Agent, request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'

/** Keeps connections, as browsers do. To open one for each request costs more than the request. */
const agent = new Agent({ keepAlive: true })

/** One cookie as a browser keeps it. */
export interface Cookie {
  name: string
  value: string
  domain: string
  hostOnly: boolean
  path: string
  secure: boolean
  httpOnly: boolean
  sameSite: string | undefined
  partitioned: boolean
  /** Milliseconds since the epoch. Absent: the cookie ends with the browser. */
  expires: number | undefined
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  /** Every `Set-Cookie` header, as it came. */
  setCookie: string[]
  text: string
  /** The body read as JSON. */
  json: unknown
}

export interface Send {
  headers?: OutgoingHttpHeaders
  /** An object is sent as JSON, a string as it is. */
  body?: string | object
  /** Called when the headers have arrived, before the body. */
  onHead?: (status: number, headers: IncomingHttpHeaders) => void
}

export interface ClientOptions {
  /** The host in the client's requests. @default the host of the origin */
  host?: string
  /** `true`: the client behaves as over TLS. It sends `X-Forwarded-Proto: https` (for an app with `proxy`) and keeps secure cookies. */
  https?: boolean
  /** The browser's clock. */
  now?: () => number
}

/** A small HTTP client that keeps cookies as a browser does: by name, domain, path, `Secure` and expiry. */
export class Client {
  readonly #origin: URL
  readonly #options: ClientOptions
  /** Shared with the clients that `at` made. */
  #jar: { all: Cookie[] } = { all: [] }

  constructor(origin: string, options: ClientOptions = {}) {
    this.#origin = new URL(origin)
    this.#options = options
  }

  get origin(): string {
    return this.#origin.origin
  }

  get(path: string, send?: Send): Promise<Answer> {
    return this.send('GET', path, send)
  }

  post(path: string, body?: string | object, send?: Send): Promise<Answer> {
    return this.send('POST', path, { ...send, ...(body !== undefined && { body }) })
  }

  async send(method: string, path: string, { headers = {}, body, onHead }: Send = {}): Promise<Answer> {
    const cookie = this.cookieHeader(path)
    const all: OutgoingHttpHeaders = { host: this.#host, ...headers }
    if (this.#options.https) all['x-forwarded-proto'] = 'https'
    if (cookie !== '' && all['cookie'] === undefined) all['cookie'] = cookie
    if (typeof body === 'object') all['content-type'] ??= 'application/json'
    const payload = typeof body === 'object' ? JSON.stringify(body) : body
    const answer = await sendRequest(this.#origin, method, path, all, payload, (status, head) => {
      for (const line of head['set-cookie'] ?? []) this.keep(line, path)
      onHead?.(status, head)
    })
    return answer
  }

  /** The value of a cookie that has not expired. */
  cookie(name: string): string | undefined {
    return this.cookies.find((cookie) => cookie.name === name)?.value
  }

  get cookies(): Cookie[] {
    const now = this.#now
    return (this.#jar.all = this.#jar.all.filter(({ expires }) => expires === undefined || expires > now))
  }

  /** Takes a `Set-Cookie` header, as if it had come from `path`. */
  keep(line: string, path = '/'): void {
    const cookie = this.#read(line, path)
    if (!cookie) return
    const isSame = (other: Cookie) => other.name === cookie.name && other.domain === cookie.domain && other.path === cookie.path
    const at = this.#jar.all.findIndex(isSame)
    if (at < 0) this.#jar.all.push(cookie)
    else this.#jar.all[at] = cookie
    void this.cookies
  }

  /** Another client that holds the same cookies: a second tab, or a thief. */
  copy(): Client {
    const other = new Client(this.#origin.href, this.#options)
    other.#jar.all = this.cookies.map((cookie) => ({ ...cookie }))
    return other
  }

  /** The same browser with another server, for example one that was started after the first has ended. */
  at(origin: string): Client {
    const other = new Client(origin, this.#options)
    other.#jar = this.#jar
    return other
  }

  /** Closes the browser: cookies without an expiry are gone. */
  close(): void {
    this.#jar.all = this.#jar.all.filter((cookie) => cookie.expires !== undefined)
  }

  cookieHeader(path: string): string {
    const { pathname } = new URL(path, this.#origin)
    return this.cookies
      .filter((cookie) => this.#isFor(cookie, pathname))
      .sort((one, other) => other.path.length - one.path.length)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
  }

  get #host(): string {
    return this.#options.host ?? this.#origin.host
  }

  get #hostname(): string {
    return this.#host.replace(/:\d+$/, '')
  }

  get #now(): number {
    return (this.#options.now ?? Date.now)()
  }

  #isFor(cookie: Cookie, pathname: string): boolean {
    const host = this.#hostname
    if (!(cookie.hostOnly ? host === cookie.domain : isInDomain(host, cookie.domain))) return false
    return isInPath(pathname, cookie.path) && (!cookie.secure || this.#options.https === true)
  }

  /** RFC 6265bis, section 5.6 and 5.7, as far as the tests need it. `undefined`: a browser would not take it. */
  #read(line: string, path: string): Cookie | undefined {
    const [pair = '', ...rest] = line.split(';').map((part) => part.trim())
    const attributes = new Map(rest.map((part): [string, string] => [cut(part)[0].toLowerCase(), cut(part)[1]]))
    const [name, value] = cut(pair)
    const { pathname } = new URL(path, this.#origin)
    const domain = (attributes.get('domain') ?? '').replace(/^\./, '').toLowerCase()
    const host = this.#hostname
    const secure = attributes.has('secure')
    const cookie: Cookie = {
      name,
      value,
      domain: domain || host,
      hostOnly: domain === '',
      path: attributes.get('path')?.startsWith('/') ? attributes.get('path')! : pathname.replace(/\/[^/]*$/, '') || '/',
      secure,
      httpOnly: attributes.has('httponly'),
      sameSite: attributes.get('samesite')?.toLowerCase(),
      partitioned: attributes.has('partitioned'),
      expires: this.#expiry(attributes)
    }
    if (domain && !isInDomain(host, domain)) return undefined
    if (secure && !this.#options.https) return undefined
    if (!secure && (cookie.sameSite === 'none' || cookie.partitioned || /^__(secure|host)-/i.test(name))) return undefined
    if (/^__host-/i.test(name) && (!cookie.hostOnly || cookie.path !== '/')) return undefined
    return cookie
  }

  #expiry(attributes: Map<string, string>): number | undefined {
    const age = attributes.get('max-age')
    if (age !== undefined) return Number(age) > 0 ? this.#now + Number(age) * 1000 : 0
    const expires = attributes.get('expires')
    return expires === undefined ? undefined : Date.parse(expires)
  }
}

/** The attributes of a `Set-Cookie` header under their lower-case names, and the cookie's own name and value under `name` and `value`. */
export function readSetCookie(line: string): Record<string, string | true> {
  const [pair = '', ...rest] = line.split(';').map((part) => part.trim())
  const [name, value] = cut(pair)
  const attributes = rest.map((part) => [cut(part)[0].toLowerCase(), part.includes('=') ? cut(part)[1] : true] as const)
  return { name, value, ...Object.fromEntries(attributes) }
}

function sendRequest(
  origin: URL,
  method: string,
  path: string,
  headers: OutgoingHttpHeaders,
  body: string | undefined,
  onHead: (status: number, headers: IncomingHttpHeaders) => void
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = origin
    const outgoing = request({ hostname, port, method, path, headers, agent }, (incoming) => {
      const status = incoming.statusCode!
      onHead(status, incoming.headers)
      let text = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (part: string) => (text += part))
      incoming.on('error', reject)
      incoming.on('end', () => {
        const read = { status, headers: incoming.headers, setCookie: incoming.headers['set-cookie'] ?? [], text }
        resolve({
          ...read,
          get json(): unknown {
            return JSON.parse(text)
          }
        })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function cut(part: string): [string, string] {
  const at = part.indexOf('=')
  return at < 0 ? [part, ''] : [part.slice(0, at).trim(), part.slice(at + 1).trim()]
}

function isInDomain(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`)
}

function isInPath(pathname: string, path: string): boolean {
  return pathname === path || (pathname.startsWith(path) && (path.endsWith('/') || pathname[path.length] === '/'))
}
