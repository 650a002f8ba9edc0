import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/**
 * The first of the packages that is installed. Drivers are optional peer dependencies: importing this package loads
 * none, and only who names a server by URL gets one loaded.
 *
 * Synchronously, so that a missing driver is an error of the call that needs it, when the application starts.
 */
export function loadDriver(what: string, names: readonly [string, ...string[]]): { name: string; driver: unknown } {
  for (const name of names) {
    const path = resolve(name)
    if (path !== undefined) return { name, driver: require(path) }
  }
  const [first, ...others] = names
  const choice = others.length > 0 ? ` (or ${others.join(', ')})` : ''
  throw new Error(`${what} needs a driver that is not installed: npm install ${first}${choice}`)
}

function resolve(name: string): string | undefined {
  try {
    return require.resolve(name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}
