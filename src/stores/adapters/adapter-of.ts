/** Which adapter makes a store of ours of a value; `undefined`: the value is not a store of another library. */
export function adapterOf(value: unknown): 'fromKoaSessionStore' | 'fromExpressStore' | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const store = value as Record<string, unknown>
  if (!['get', 'set', 'destroy'].every((name) => typeof store[name] === 'function')) return undefined
  // Every store for express-session has it from the class that it extends.
  return typeof store['createSession'] === 'function' ? 'fromExpressStore' : 'fromKoaSessionStore'
}
