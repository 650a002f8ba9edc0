import fastifyCookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import { RedisStore } from 'connect-redis'
import Fastify from 'fastify'
import { answerWith, answerWithout, secret } from '../work.js'

/** Fastify alone. */
export function bareFastify() {
  const app = Fastify()
  app.get('/*', (request, reply) => reply.send(answerWithout(request.url)))
  return listen(app)
}

/** @fastify/session with connect-redis, `saveUninitialized` off; its default `rolling: true` saves on each request. */
export async function fastifySessionOnRedis({ connect }) {
  const app = Fastify()
  await app.register(fastifyCookie)
  await app.register(fastifySession, {
    secret,
    store: new RedisStore({ client: await connect() }),
    cookie: { secure: false },
    saveUninitialized: false
  })
  app.get('/*', (request, reply) => reply.send(answerWith(request.url, () => request.session)))
  return listen(app)
}

async function listen(app) {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { port: app.server.address().port }
}
