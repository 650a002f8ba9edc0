import type { Cart } from './visitor.js'

export interface Thing {
  id: string
  name: string
  text: string
  icon: string
  hue: string
  cents: number
}

export const goods: readonly Thing[] = [
  { id: 'postcard', name: 'Postcard', text: 'Sent from a place that no longer is on the map.', icon: 'postcard', hue: 'rose', cents: 250 },
  { id: 'shell', name: 'Sea shell', text: 'You can hear the event loop in it.', icon: 'shell', hue: 'sea', cents: 480 },
  { id: 'key', name: 'Brass key', text: 'Thirty-two bytes long. Opens one door only.', icon: 'key', hue: 'sand', cents: 1290 },
  { id: 'watch', name: 'Pocket watch', text: 'Stops at the deadline, to the millisecond.', icon: 'watch', hue: 'sky', cents: 7900 },
  { id: 'flower', name: 'Pressed flower', text: 'Kept between two pages for thirty-one days.', icon: 'flower', hue: 'moss', cents: 690 },
  { id: 'music', name: 'Music box', text: 'Plays the same tune after every restart.', icon: 'music', hue: 'plum', cents: 3450 }
]

const mostPieces = 99

/** Adds a piece, in place. */
export function addPiece(cart: Cart, id: string): void {
  const line = cart.lines.find((each) => each.id === id)
  if (!line) cart.lines.push({ id, pieces: 1 })
  else if (line.pieces < mostPieces) line.pieces++
}

/** Takes a piece out, and the line with the last one. */
export function takePiece(cart: Cart, id: string): void {
  const at = cart.lines.findIndex((each) => each.id === id)
  const line = cart.lines[at]
  if (!line) return
  line.pieces--
  if (line.pieces === 0) cart.lines.splice(at, 1)
}

export function piecesIn(cart: Cart | undefined): number {
  return (cart?.lines ?? []).reduce((sum, { pieces }) => sum + pieces, 0)
}

/** The cart with names and prices beside its ids. */
export function linesOf(cart: Cart | undefined): (Thing & { pieces: number })[] {
  return (cart?.lines ?? []).flatMap(({ id, pieces }) => {
    const thing = goods.find((each) => each.id === id)
    return thing ? [{ ...thing, pieces }] : []
  })
}
