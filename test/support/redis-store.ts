import type { SessionStore } from '../../src/store/index.js'
import { redisStore } from '../../src/stores/redis/index.js'
import { startProcesses, type Fleet } from './fleet.js'
import { drivers, type Connected, type Driver } from './redis-drivers.js'

/** The servers to which a store of the races connects. */
export type Place = { url: string } | { ports: number[] } | { sentinels: { host: string; port: number }[] }

/** The Redis store of a process of a fleet; the argument names driver and place. */
export default async function makeStore(argument: string): Promise<SessionStore> {
  const { name, place } = JSON.parse(argument) as { name: string; place: Place }
  const { client } = await connectTo(drivers.find((driver) => driver.name === name)!, place)
  return redisStore({ client })
}

/** Four processes, in which every second one has the other driver. */
export async function startMixed(place: Place): Promise<Fleet> {
  const fleets = await Promise.all(newest.map(({ name }) => startProcesses(2, new URL(import.meta.url), JSON.stringify({ name, place }))))
  const [one, other] = fleets as [Fleet, Fleet]
  return {
    origins: one.origins.flatMap((origin, at) => [origin, other.origins[at]!]),
    processes: fleets.flatMap(({ processes }) => processes),
    close: async () => void (await Promise.all(fleets.map((fleet) => fleet.close())))
  }
}

export function connectTo(driver: Driver, place: Place): Promise<Connected> {
  if ('url' in place) return driver.connect(place.url)
  return 'ports' in place ? driver.connectCluster(place.ports) : driver.connectSentinel!(place.sentinels)
}

/** The newest version of each driver. */
export const newest = ['redis', 'ioredis'].flatMap((kind) => drivers.filter(({ name }) => name.startsWith(`${kind} `)).slice(0, 1))

/** A fleet that takes more with it when it is closed. */
export function closingToo(fleet: Fleet, ...others: (() => unknown)[]): Fleet {
  return {
    ...fleet,
    async close() {
      await fleet.close()
      for (const close of others) await close()
    }
  }
}
