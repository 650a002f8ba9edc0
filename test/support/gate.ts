/** Holds whoever comes until it is opened, and tells when somebody has come: how a test makes a handler slow. */
export interface Gate {
  /** Resolves when that many (1) have come to the gate. */
  reached(count?: number): Promise<void>
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
