import { connect } from 'node:net'

/** Sends bytes as they are, and answers the status and the body of the response. */
export function sendRaw(origin: string, head: Buffer): Promise<{ status: number; head: string; body: string }> {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(head))
    let answer = ''
    socket.setEncoding('latin1')
    socket.on('data', (part: string) => (answer += part))
    socket.on('error', reject)
    socket.on('end', () => {
      socket.end()
      const end = answer.indexOf('\r\n\r\n')
      resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]), head: answer.slice(0, end), body: answer.slice(end + 4) })
    })
  })
}

/** The bytes of a request with these `Cookie` lines, after which the server closes the connection. */
export function requestWith(path: string, cookieLines: readonly string[]): Buffer {
  const lines = [`GET ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...cookieLines.map((line) => `Cookie:${line}`)]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}
