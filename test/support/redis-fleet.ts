import { startProcesses, type Fleet } from './fleet.js'
import { newest, type Place } from './redis-store.js'

/** Four processes, in which every second one has the other driver. */
export async function startMixed(place: Place): Promise<Fleet> {
  const fleets = await Promise.all(newest.map(({ name }) => startProcesses(2, new URL('redis-store.ts', import.meta.url), JSON.stringify({ name, place }))))
  const [one, other] = fleets as [Fleet, Fleet]
  return {
    origins: one.origins.flatMap((origin, at) => [origin, other.origins[at]!]),
    processes: fleets.flatMap(({ processes }) => processes),
    close: async () => void (await Promise.all(fleets.map((fleet) => fleet.close())))
  }
}
