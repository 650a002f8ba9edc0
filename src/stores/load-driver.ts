// Not by its name `createRequire`: bundles to ES modules often declare that for the CommonJS in them.
import nodeModule from 'node:module'
import { dirname, join, resolve as resolvePath } from 'node:path'

/** A package that `loadDriver` has loaded. */
export interface LoadedDriver {
  readonly name: string
  readonly driver: unknown
}

/**
 * Loads the first of the packages that is installed in a suitable version. koa-keepsake depends on no driver: only a store that is opened by
 * a URL loads one.
 *
 * It searches from the working directory, and then from the script that was started. (It cannot search from this package, which a bundle does
 * not contain as a folder.) It loads synchronously, so that a missing driver is an error of the call that needs it, when the application starts.
 *
 * @param what the call that needs the driver, for the error.
 * @param drivers names, each with the lowest suitable version if there is one: `redis@4.6`.
 * @throws Error that says what to install.
 */
export function loadDriver(what: string, drivers: readonly [string, ...string[]]): LoadedDriver {
  const tooOld: string[] = []
  for (const candidate of drivers) {
    const { name, lowest } = parse(candidate)
    for (const require of requires()) {
      const path = resolve(require, name)
      if (path === undefined) continue
      const version = versionOf(require, path)
      if (version === undefined || isAtLeast(version, lowest)) return { name, driver: require(path) as unknown }
      tooOld.push(`${name} ${version} is installed, but ${lowest} or later is needed`)
    }
  }
  throw new Error(`${what} needs a driver${tooOld.length > 0 ? `: ${[...new Set(tooOld)].join('; ')}` : ' that is not installed'}: ${advice(drivers, tooOld.length > 0)}`)
}

function parse(driver: string): { name: string; lowest: string } {
  const separator = driver.lastIndexOf('@')
  return separator > 0 ? { name: driver.slice(0, separator), lowest: driver.slice(separator + 1) } : { name: driver, lowest: '0' }
}

function advice(drivers: readonly string[], isUpdate: boolean): string {
  const [first, ...others] = drivers.map((driver) => parse(driver).name)
  const choice = others.length > 0 ? ` (or ${others.join(', ')})` : ''
  return `npm install ${first}${isUpdate ? '@latest' : ''}${choice}`
}

/** The `require` functions of the working directory and of the script that was started. */
function requires(): NodeJS.Require[] {
  const main = process.argv[1]
  return [join(process.cwd(), 'index.js'), ...(main === undefined ? [] : [resolvePath(main)])].map((path) => nodeModule.createRequire(path))
}

function resolve(require: NodeJS.Require, name: string): string | undefined {
  try {
    return require.resolve(name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** The version of the package whose entry has that path. `undefined`: its manifest names none. */
function versionOf(require: NodeJS.Require, path: string): string | undefined {
  // Do not require `name/package.json`, because a package need not export it.
  for (let directory = dirname(path); dirname(directory) !== directory; directory = dirname(directory)) {
    const file = join(directory, 'package.json')
    if (resolve(require, file) === undefined) continue
    const manifest = require(file) as { name?: unknown; version?: unknown }
    // A package may have further package.json files inside, which only say whether a folder holds ES modules.
    if (typeof manifest.version === 'string' && manifest.name !== undefined) return manifest.version
  }
  return undefined
}

function isAtLeast(version: string, lowest: string): boolean {
  const wanted = lowest.split('.').map(Number)
  const present = version.split('.').map((part) => Number.parseInt(part, 10))
  const differing = wanted.findIndex((part, index) => part !== (present[index] ?? 0))
  return differing === -1 || (present[differing] ?? 0) > wanted[differing]!
}
