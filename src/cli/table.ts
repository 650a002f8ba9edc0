import Table from 'cli-table3'

/** One column of a table. */
export interface Column<Row> {
  readonly title: string
  readonly isNumber?: boolean
  cell(row: Row): string
}

/** No lines between the cells, so that other programs can split a row at spaces. */
const noLines = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
  left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  '
}
const gap = noLines.middle.length

/** How many rows are laid out at once. The library needs more time for each row of a longer table. */
const pageSize = 30

/**
 * Lays rows out in columns, in pages of lines.
 *
 * @param widths the width of each column but the last one, in characters.
 * @param width the width of the terminal. The last column is cut to fit. `undefined`: nothing is cut.
 */
export function* tableOf<Row>(columns: readonly Column<Row>[], widths: readonly number[], rows: readonly Row[], width: number | undefined): Generator<string> {
  const rest = width === undefined ? null : Math.max(width - widths.reduce((sum, columnWidth) => sum + columnWidth + gap, 0), 1)
  const options = {
    chars: noLines,
    colWidths: [...widths, rest],
    colAligns: columns.map(({ isNumber }) => (isNumber ? 'right' as const : 'left' as const)),
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] }
  }
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map((column) => column.cell(row)))]
  for (let start = 0; start < cells.length; start += pageSize) {
    const table = new Table(options)
    table.push(...cells.slice(start, start + pageSize))
    yield table.toString().replace(/ +$/gm, '')
  }
}
