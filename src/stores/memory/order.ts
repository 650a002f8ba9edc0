/** Something in an order: what was put in before and after it. */
export interface Linked {
  before?: Linked | undefined
  after?: Linked | undefined
}

/**
 * Items in the order in which they were put in, the first of which is at hand. A Map keeps that order too, but has to walk
 * over everything that was deleted before its first entry: in a full store that costs more than making a session.
 */
export interface Order<Item extends Linked> {
  readonly size: number
  readonly first: Item | undefined
  append(item: Item): void
  remove(item: Item): void
}

export function createOrder<Item extends Linked>(): Order<Item> {
  // Closed to a ring by an item that is none, so that no item lacks a neighbour.
  const ring: Linked = {}
  ring.before = ring.after = ring
  let size = 0

  return {
    get size() {
      return size
    },
    get first() {
      return size === 0 ? undefined : (ring.after as Item)
    },
    append(item) {
      item.before = ring.before
      item.after = ring
      ring.before!.after = item
      ring.before = item
      size++
    },
    remove(item) {
      item.before!.after = item.after
      item.after!.before = item.before
      // A removed item that still pointed at others would keep them from being collected with the young.
      item.before = item.after = undefined
      size--
    }
  }
}
