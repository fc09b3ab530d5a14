// Values of rows, many to a statement.
import type { Query } from '../../query.ts'
import type { Database, SqlValue } from './database.ts'

/** What a column of such rows holds. */
export type ColumnKind = 'integer' | 'text'

/** A statement for rows, in as many forms as there are numbers of rows it takes, or in one for any number. */
export class ManyRows {
  readonly #columns: readonly ColumnKind[]
  readonly #sqlOf: (rows: string) => string
  readonly #forms = new Map<number | 'any', string>()

  /** `sqlOf` makes the statement of what gives its rows, in the place of `values …`. */
  constructor(columns: readonly ColumnKind[], sqlOf: (rows: string) => string) {
    this.#columns = columns
    this.#sqlOf = sqlOf
  }

  /** The statement for so many rows; for `any`, with a list for each column. */
  sqlFor(rows: number | 'any'): string {
    const known = this.#forms.get(rows)
    if (known !== undefined) return known
    const made = this.#sqlOf(rows === 'any' ? this.#lists() : this.#values(rows))
    this.#forms.set(rows, made)
    return made
  }

  /** Writes rows given value by value, with what the statement takes besides. */
  *write(db: Database, values: readonly SqlValue[], ...besides: SqlValue[]): Query<void> {
    const width = this.#columns.length
    if (values.length === 0) return
    if (db.rowsAtOnce === 'any') return yield* db.run(this.sqlFor('any'), ...columnsOf(values, width), ...besides)
    let at = 0
    for (const rows of db.rowsAtOnce) {
      const length = rows * width
      for (; at + length <= values.length; at += length) {
        yield* db.run(this.sqlFor(rows), ...values.slice(at, at + length), ...besides)
      }
    }
  }

  #values(rows: number): string {
    const row = `(${this.#columns.map(() => '?').join(', ')})`
    return `values ${Array.from({ length: rows }, () => row).join(', ')}`
  }

  #lists(): string {
    return `select * from unnest(${this.#columns.map((kind) => `cast(? as ${kind}[])`).join(', ')})`
  }
}

function columnsOf(values: readonly SqlValue[], width: number): SqlValue[][] {
  const columns: SqlValue[][] = Array.from({ length: width }, () => [])
  for (let at = 0; at < values.length; at++) columns[at % width]?.push(values[at] ?? null)
  return columns
}
