import type { Bar } from './bar.js'

/** A timeline for a template. Horizontal lengths are percentages of the width, vertical ones are pixels: it fits every screen, and its text keeps its size. */
export interface Drawing {
  height: number
  /** Where the bars end and the numbers of the scale begin, in pixels. */
  floor: number
  isLabelled: boolean
  bars: DrawnBar[]
  ticks: { x: number; text: string }[]
}

export interface DrawnBar extends Bar {
  x: number
  width: number
  y: number
  height: number
  text: Label
}

/** Where the label above a bar begins, or ends. */
export interface Label {
  x: number
  anchor: 'start' | 'end'
}

export interface Style {
  /** The height of a row and of the bar in it, in pixels. */
  row: number
  bar: number
  /** `true`: each bar has a row to itself, with its label above the bar. */
  labelled?: boolean
}

/** Room for the numbers below, in pixels. */
const scaleHeight = 24

/** The narrowest bar that can be seen, in percent. */
const thinnest = 0.6

/** @param end the time at the right edge, in milliseconds: the same for both libraries. */
export function draw(bars: readonly Bar[], end: number, { row, bar, labelled = false }: Style): Drawing {
  const rows = labelled ? bars.map((_, at) => at) : rowsOf(bars)
  const floor = (Math.max(0, ...rows) + 1) * row
  const percent = (time: number) => (100 * time) / end
  return {
    height: floor + scaleHeight,
    floor,
    isLabelled: labelled,
    bars: bars.map((each, at) => ({
      ...each,
      x: percent(each.from),
      width: Math.max(thinnest, percent(each.to - each.from)),
      y: (rows[at]! + 1) * row - bar - 3,
      height: bar,
      text: labelOf(each.label, percent(each.from), percent(each.to))
    })),
    ticks: ticksOf(end).map((time) => ({ x: percent(time), text: `${time} ms` }))
  }
}

/** Keeps the label in the drawing on a phone, where 40 characters are as wide as it. */
function labelOf(label: string, from: number, to: number): Label {
  const width = label.length * 2.5
  if (from + width <= 100) return { x: from, anchor: 'start' }
  return { x: Math.min(100, Math.max(to, width)), anchor: 'end' }
}

/** Gives each bar the first row that is free when it begins. */
function rowsOf(bars: readonly Bar[]): number[] {
  const freeFrom: number[] = []
  const rows: number[] = []
  const byTime = Array.from(bars.keys()).sort((one, other) => bars[one]!.from - bars[other]!.from)
  for (const at of byTime) {
    const { from, to } = bars[at]!
    const free = freeFrom.findIndex((time) => time <= from)
    const row = free < 0 ? freeFrom.length : free
    freeFrom[row] = to
    rows[at] = row
  }
  return rows
}

/** Two to four round times below `end`, and 0. The last one leaves room for its text. */
function ticksOf(end: number): number[] {
  const power = 10 ** Math.floor(Math.log10(end / 2))
  const step = Math.max(1, [1, 2, 5, 10].map((each) => each * power).find((each) => end / each < 4.5)!)
  const ticks = []
  for (let time = 0; time <= end * 0.82; time += step) ticks.push(time)
  return ticks
}
