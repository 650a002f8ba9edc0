/**
 * Returns the value of a name, the same for the ESM and the CommonJS build: one process may load both.
 *
 * @param make makes the value for the build that asks first.
 */
export function processWide<T extends object>(name: string, make: () => T): T {
  const values = globalThis as unknown as Record<symbol, T | undefined>
  return (values[Symbol.for(`koa-keepsake ${name}`)] ??= make())
}
