import type { SessionStore } from '../../src/store/index.js'
import { redisStore } from '../../src/stores/redis/index.js'
import { drivers, type Connected, type Driver } from './redis-drivers.js'

/** The servers to which a store of the races connects. */
export type Place = { url: string } | { ports: number[] } | { sentinels: { host: string; port: number }[] }

/** The Redis store of a process of a fleet; the argument names driver and place. */
export default async function makeStore(argument: string): Promise<SessionStore> {
  const { name, place } = JSON.parse(argument) as { name: string; place: Place }
  const { client } = await connectTo(drivers.find((driver) => driver.name === name)!, place)
  return redisStore({ client })
}

export function connectTo(driver: Driver, place: Place): Promise<Connected> {
  if ('url' in place) return driver.connect(place.url)
  return 'ports' in place ? driver.connectCluster(place.ports) : driver.connectSentinel!(place.sentinels)
}

/** The newest version of each driver. */
export const newest = ['redis', 'ioredis'].flatMap((kind) => drivers.filter(({ name }) => name.startsWith(`${kind} `)).slice(0, 1))
