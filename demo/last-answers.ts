import type { Server } from 'node:http'

/**
 * Lets `server.close()` come to an end. It closes idle connections and waits for the others, and a busy proxy never lets a connection become
 * idle. So each connection ends with the first answer after `close()`.
 */
export function endWithLastAnswers(server: Server): void {
  server.prependListener('request', (_request, response) => {
    if (!server.listening) response.setHeader('Connection', 'close')
    // The request may have begun before, and Koa removes every header from the answer to an error.
    response.once('close', () => {
      if (!server.listening) server.closeIdleConnections()
    })
  })
}
