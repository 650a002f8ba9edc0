/** Signals on which an application may want to shut down. */
const signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const

let loading: ReturnType<typeof load> | undefined

/**
 * Loads proper-lockfile when it is needed for the first time, without its listeners for signals.
 *
 * Its dependency signal-exit listens, to remove locks, and kills the process when no other listener is left. So it would kill an application
 * that shuts down with `process.once('SIGTERM', …)`, because Node removes that listener before it runs. Without the listeners, a signal may
 * leave a lock behind, which becomes stale as after kill -9. At an ordinary exit, proper-lockfile still removes its locks.
 */
export function loadLockfile(): ReturnType<typeof load> {
  return (loading ??= load())
}

async function load() {
  const before = new Map(signals.map((signal) => [signal, new Set(process.listeners(signal))]))
  const { default: lockfile } = await import('proper-lockfile')
  for (const [signal, known] of before) {
    for (const listener of process.listeners(signal)) {
      // The application may have added a listener of its own meanwhile.
      if (!known.has(listener) && String(listener).includes('emitter.count')) process.removeListener(signal, listener)
    }
  }
  return lockfile
}
