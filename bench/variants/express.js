import { RedisStore } from 'connect-redis'
import express from 'express'
import expressSession from 'express-session'
import sessionFileStore from 'session-file-store'
import { answerWith, answerWithout, secret } from '../work.js'

/** Express alone. */
export function bareExpress() {
  const app = express()
  app.use((request, response) => response.send(answerWithout(request.path)))
  return listen(app)
}

/** express-session as its documentation recommends: `resave` and `saveUninitialized` off. It touches the store on each read. */
export function expressSessionOn(kind) {
  return async ({ dir, connect }) => {
    const stores = {
      memory: () => new expressSession.MemoryStore(),
      file: () => new (sessionFileStore(expressSession))({ path: dir, logFn: () => {} }),
      redis: async () => new RedisStore({ client: await connect() })
    }
    const store = await stores[kind]()
    const app = express()
    app.use(expressSession({ secret, store, resave: false, saveUninitialized: false }))
    app.use((request, response) => response.send(answerWith(request.path, () => request.session)))
    return listen(app)
  }
}

function listen(app) {
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve({ port: server.address().port }))
  })
}
