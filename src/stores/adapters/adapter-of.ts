/** The name of the adapter for a store of another library. `undefined`: the value is not such a store. */
export function adapterOf(value: unknown): 'fromKoaSessionStore' | 'fromExpressStore' | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const store = value as Record<string, unknown>
  if (!['get', 'set', 'destroy'].every((name) => typeof store[name] === 'function')) return undefined
  // Every store for express-session inherits this method from the class that it extends.
  return typeof store['createSession'] === 'function' ? 'fromExpressStore' : 'fromKoaSessionStore'
}
