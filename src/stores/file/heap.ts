export interface Candidate {
  id: string
  deadline: number
}

/**
 * Keeps the `capacity` candidates with the nearest deadlines of any number that are offered: a heap with the farthest of
 * them on top, so that a directory of a million files neither needs a million entries nor a sort that holds the loop.
 */
export function createHeap(capacity: number): { offer(candidate: Candidate): void; nearest(count: number): Candidate[] } {
  const heap: Candidate[] = []

  function swap(a: number, b: number): void {
    const kept = heap[a]!
    heap[a] = heap[b]!
    heap[b] = kept
  }

  function rise(from: number): void {
    for (let at = from; at > 0; ) {
      const above = (at - 1) >> 1
      if (heap[above]!.deadline >= heap[at]!.deadline) return
      swap(at, above)
      at = above
    }
  }

  function sink(): void {
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      let farthest = at
      if (left < heap.length && heap[left]!.deadline > heap[farthest]!.deadline) farthest = left
      if (left + 1 < heap.length && heap[left + 1]!.deadline > heap[farthest]!.deadline) farthest = left + 1
      if (farthest === at) return
      swap(at, farthest)
      at = farthest
    }
  }

  function dropFarthest(): void {
    const end = heap.pop()!
    if (heap.length === 0) return
    heap[0] = end
    sink()
  }

  return {
    offer(candidate) {
      if (heap.length < capacity) {
        heap.push(candidate)
        rise(heap.length - 1)
      } else if (capacity > 0 && candidate.deadline < heap[0]!.deadline) {
        heap[0] = candidate
        sink()
      }
    },
    nearest(count) {
      while (heap.length > count) dropFarthest()
      return heap
    }
  }
}
