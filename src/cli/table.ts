// Tables that fit the terminal: the columns that can spare room give it, and nothing wraps.
import { plain, type Paint } from './paint.ts'
import { cut, cutMiddle, padEnd, padStart, widthOf } from './width.ts'

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => string
  readonly align?: 'left' | 'right'
  /** May be cut down to this width; columns without it stay whole. */
  readonly least?: number
  /** Where it is cut; at the end unless told. */
  readonly cutAt?: 'end' | 'middle'
  readonly paint?: (row: Row, text: string, paint: Paint) => string
}

export interface TableLook {
  readonly columns: number
  readonly paint: Paint
}

const gap = '  '

/** The lines of a table; undefined when it cannot be made to fit. */
export function drawTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  look: TableLook,
): string[] | undefined {
  const cells = rows.map((row) => columns.map((column) => column.cell(row)))
  const natural = columns.map((column, index) =>
    Math.max(widthOf(column.title), ...cells.map((line) => widthOf(line[index] ?? ''))),
  )
  const widths = fitWidths(natural, columns, look.columns)
  if (widths === undefined) return undefined
  const titles = columns.map((column, index) => aligned(column.title, widths[index] ?? 0, column.align))
  const head = look.paint('dim', joined(titles))
  const body = rows.map((row, at) =>
    joined(
      columns.map((column, index) =>
        drawCell({ column, row, text: cells[at]?.[index] ?? '', width: widths[index] ?? 0, look }),
      ),
    ),
  )
  return [head, ...body]
}

interface CellDrawing<Row> {
  readonly column: Column<Row>
  readonly row: Row
  readonly text: string
  readonly width: number
  readonly look: TableLook
}

function drawCell<Row>({ column, row, text, width, look }: CellDrawing<Row>): string {
  const fitted = column.cutAt === 'middle' ? cutMiddle(text, width) : cut(text, width)
  const padded = aligned(fitted, width, column.align)
  return look.paint === plain || column.paint === undefined ? padded : column.paint(row, padded, look.paint)
}

/** Takes the missing room from the widest column that can give, a cell at a time. */
function fitWidths<Row>(
  natural: readonly number[],
  columns: readonly Column<Row>[],
  room: number,
): number[] | undefined {
  const widths = [...natural]
  const total = (): number => widths.reduce((sum, width) => sum + width, 0) + gap.length * (widths.length - 1)
  for (let over = total() - room; over > 0; over -= 1) {
    const widest = widestToGive(widths, columns)
    if (widest === undefined) return undefined
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return widths
}

function widestToGive<Row>(widths: readonly number[], columns: readonly Column<Row>[]): number | undefined {
  let widest: number | undefined
  for (const [index, { least }] of columns.entries()) {
    const width = widths[index] ?? 0
    if (least !== undefined && width > least && (widest === undefined || width > (widths[widest] ?? 0))) widest = index
  }
  return widest
}

function aligned(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  return align === 'right' ? padStart(text, width) : padEnd(text, width)
}

function joined(cells: readonly string[]): string {
  return cells.join(gap).trimEnd()
}
