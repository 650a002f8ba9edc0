/** An item of a linked list, with its neighbours. */
export interface Linked {
  before?: Linked | undefined
  after?: Linked | undefined
}

/**
 * A linked list: items in the order in which they were appended.
 *
 * A `Map` keeps that order too, but to find its first entry it walks over all the entries that were deleted before it. In a full store that
 * costs more than creating a session.
 */
export interface Order<Item extends Linked> {
  readonly size: number
  readonly first: Item | undefined
  append(item: Item): void
  remove(item: Item): void
}

export function createOrder<Item extends Linked>(): Order<Item> {
  // This extra item closes the list to a ring, so that no item lacks a neighbour.
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
      // A removed item that still referred to others would keep the garbage collector from freeing them.
      item.before = item.after = undefined
      size--
    }
  }
}
