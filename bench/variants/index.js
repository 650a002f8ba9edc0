/**
 * Every variant by name: the store it uses, what it is compared with (`bare`: its framework alone), and how a server
 * process loads it. Loaded on demand, so that a process holds nothing but what it measures.
 */
const koa = () => import('./koa.js')
const express = () => import('./express.js')
const fastify = () => import('./fastify.js')

export const variants = {
  'koa': { load: async () => (await koa()).bareKoa },
  'express': { load: async () => (await express()).bareExpress },
  'fastify': { load: async () => (await fastify()).bareFastify },
  ...koaOn('memory'),
  ...koaOn('file'),
  ...koaOn('redis'),
  ...koaOn('cookie'),
  ...expressOn('memory', 'MemoryStore'),
  ...expressOn('file', 'session-file-store'),
  ...expressOn('redis', 'connect-redis'),
  'redis/@fastify/session': { bare: 'fastify', store: 'redis', label: '@fastify/session', load: async () => (await fastify()).fastifySessionOnRedis }
}

function koaOn(store) {
  const of = (label, load) => [`${store}/${label}`, { bare: 'koa', store, label, load }]
  return Object.fromEntries([
    ...(store === 'cookie' ? [] : [of('floor', async () => (await koa()).floorOn(store))]),
    of('koa-keepsake', async () => (await koa()).koaKeepsakeOn(store)),
    of('koa-session', async () => (await koa()).koaSessionOn(store))
  ])
}

function expressOn(store, by) {
  const load = async () => (await express()).expressSessionOn(store)
  return { [`${store}/express-session`]: { bare: 'express', store, label: `express-session, ${by}`, load } }
}
