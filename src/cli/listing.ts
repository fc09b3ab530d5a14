// Lists of things: JSON for programs, a table for people, lines where the window is too narrow for one.
import type { CommonFlags } from './config.ts'
import type { Io } from './io.ts'
import { paintFor } from './paint.ts'
import { drawTable, type Column, type TableLook } from './table.ts'
import { printJson } from './values.ts'

export interface Listing<Row> {
  readonly rows: readonly Row[]
  /** Said in the place of an empty table. */
  readonly nothing: string
  readonly columns: readonly Column<Row>[]
  /** The lines of one where no table fits. */
  readonly narrow: (row: Row, look: TableLook) => string | readonly string[]
  /** Said below the table. */
  readonly hint?: string | undefined
}

export function printListing<Row>({ rows, ...words }: Listing<Row>, flags: CommonFlags, io: Io): void {
  if (flags.json === true) return printJson(rows, io)
  if (rows.length === 0) return io.stderr.write(`${words.nothing}\n`)
  const look = { columns: io.stdout.columns, paint: paintFor(io.stdout, io.env) }
  const lines = drawTable(rows, words.columns, look) ?? rows.flatMap((row) => words.narrow(row, look))
  io.stdout.write(`${lines.join('\n')}\n`)
  if (words.hint !== undefined) io.stderr.write(`${paintFor(io.stderr, io.env)('dim', words.hint)}\n`)
}
