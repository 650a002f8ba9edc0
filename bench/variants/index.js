/**
 * Every variant by name: the store it uses, what it is compared with (`bare`: its framework alone), and how a server process loads it.
 * Loaded on demand, so that a process holds nothing but what it measures.
 *
 * Some variants are there for a few kinds of request only (`kinds`), after a preparation (`before`: all clients log in, or the store is
 * filled to a threshold).
 */
import { kinds, ownerKinds } from '../work.js'

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
  ...koaOn('memcached'),
  ...koaOn('mongo'),
  ...koaOn('postgres'),
  ...koaOn('mariadb'),
  ...koaOn('sqlite'),
  ...koaOn('cookie'),
  ...sealedOn('memory', { options: { seal: true } }),
  ...sealedOn('file', { options: { seal: true } }),
  ...sealedOn('redis', { options: { seal: true } }),
  ...sealedOn('cookie', { storeOptions: { encrypt: true } }),
  ...earlierOn('memory'),
  ...earlierOn('file'),
  ...earlierOn('redis'),
  ...earlierOn('cookie'),
  ...expressOn('memory', 'MemoryStore'),
  ...expressOn('file', 'session-file-store'),
  ...expressOn('redis', 'connect-redis'),
  'redis/@fastify/session': { bare: 'fastify', store: 'redis', label: '@fastify/session', load: async () => (await fastify()).fastifySessionOnRedis },
  // Old sids leave markers behind, which would fill a store that has a threshold.
  ...ownersOn('memory', ownerKinds),
  ...ownersOn('file', ownerKinds, { storeOptions: { threshold: 0 } }),
  ...ownersOn('redis', ownerKinds),
  // memcached cannot list an owner's sessions.
  ...ownersOn('memcached', ['regenerate', 'login']),
  ...ownersOn('mongo', ownerKinds),
  ...ownersOn('postgres', ownerKinds),
  ...ownersOn('mariadb', ownerKinds),
  ...ownersOn('sqlite', ownerKinds),
  ...atThreshold('file/below the threshold', (threshold) => 1000 * threshold),
  ...atThreshold('file/at the threshold', (threshold) => threshold)
}

/** The variants that run every kind of request. */
export function isComplete(name) {
  return variants[name].kinds === undefined
}

/** The kinds of request of a variant, in the order in which they warm it up. */
export function kindsOf(name) {
  return variants[name].kinds ?? kinds
}

function koaOn(store) {
  const of = (label, load) => [`${store}/${label}`, { bare: 'koa', store, label, load }]
  return Object.fromEntries([
    ...(['memory', 'file', 'redis'].includes(store) ? [of('floor', async () => (await koa()).floorOn(store))] : []),
    of('koa-keepsake', async () => (await koa()).koaKeepsakeOn(store)),
    of('koa-session', async () => (await koa()).koaSessionOn(store))
  ])
}

/** With data that is encrypted: in the store, or in the cookie. */
function sealedOn(store, settings) {
  const load = async () => (await koa()).koaKeepsakeOn(store)
  return { [`${store}/sealed`]: { bare: 'koa', store, label: 'koa-keepsake, sealed', load, settings: () => settings } }
}

/** Another build, whose exports may be fewer. */
function earlierOn(store) {
  const load = async () => (await koa()).koaKeepsakeOn(store)
  const label = 'koa-keepsake, earlier build'
  return { [`${store}/earlier`]: { bare: 'koa', store, label, load, isEarlier: true, settings: ({ earlier }) => ({ dist: earlier }) } }
}

function expressOn(store, by) {
  const load = async () => (await express()).expressSessionOn(store)
  return { [`${store}/express-session`]: { bare: 'express', store, label: `express-session, ${by}`, load } }
}

function ownersOn(store, kindsOfOwners, settings) {
  const load = async () => (await koa()).koaKeepsakeOwnersOn(store)
  return { [`${store}/owners`]: { bare: 'koa', store, load, kinds: kindsOfOwners, before: 'login', settings: () => settings } }
}

function atThreshold(name, thresholdFor) {
  const settings = ({ threshold }) => ({ storeOptions: { threshold: thresholdFor(threshold) } })
  return { [name]: { bare: 'koa', store: 'file', load: koaKeepsakeInFiles, kinds: ['new'], before: 'fill', settings } }
}

async function koaKeepsakeInFiles() {
  return (await koa()).koaKeepsakeOn('file')
}
