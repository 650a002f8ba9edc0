import { request } from 'node:http'

/** Sends a `Cookie` header as it is, on a connection that is kept. `head` has the lines of the response's headers. */
export function sendRawCookie(origin: string, cookie: string): Promise<{ status: number; head: string; body: string }> {
  return new Promise((resolve, reject) => {
    const message = request(origin, { headers: { cookie } }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, head: response.rawHeaders.join('\n'), body }))
    })
    message.on('error', reject)
    message.end()
  })
}
