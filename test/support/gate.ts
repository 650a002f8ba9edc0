/** Makes handlers wait until the test opens it, so that a test can make a handler slow. */
export interface Gate {
  /** Resolves when that many handlers have called `pass`. @default 1 */
  reached(count?: number): Promise<void>
  /** Resolves when the gate is open. */
  pass(): Promise<void>
  open(): void
}

export function createGate(): Gate {
  let open: (() => void) | undefined
  const opening = new Promise<void>((resolve) => (open = resolve))
  const watchers: { wanted: number; resolve: () => void }[] = []
  let came = 0
  return {
    reached: (wanted = 1) =>
      new Promise((resolve) => {
        if (came >= wanted) resolve()
        else watchers.push({ wanted, resolve })
      }),
    pass() {
      came++
      for (const { wanted, resolve } of watchers) if (came >= wanted) resolve()
      return opening
    },
    open: () => open?.()
  }
}
