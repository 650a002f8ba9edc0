/**
 * The deadlines of records as this process last knew them, so that holding the threshold need not look at every file each
 * time. Others may have moved a deadline: the record itself is looked at before it goes, and all is forgotten with
 * each regular sweep.
 */
export interface Deadlines {
  get(id: string): number | undefined
  set(id: string, deadline: number): void
  forget(id: string): void
  clear(): void
}

// About 15 MB. What does not fit is looked up in the directory.
const most = 100_000

export function createDeadlines(): Deadlines {
  const known = new Map<string, number>()
  return {
    get: (id) => known.get(id),
    set(id, deadline) {
      if (known.size < most || known.has(id)) known.set(id, deadline)
    },
    forget: (id) => void known.delete(id),
    clear: () => known.clear()
  }
}
