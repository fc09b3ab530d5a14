// Values of rows, many to a statement.
import type { Database, SqlValue } from './database.ts'
import type { Query } from '../../query.ts'

// Measured: beside one row a statement, 16 take 45 % of the time and 50 take 43 %; a list in JSON takes 60 %.
const sizes = [16, 4, 1] as const

/** A statement for rows, in as many forms as there are numbers of rows it takes. */
export class ManyRows {
  readonly #width: number
  // The largest first.
  readonly #statements: readonly { readonly rows: number; readonly sql: string }[]

  /** `sqlOf` makes the statement of the placeholders of its rows, each of `width` values. */
  constructor(width: number, sqlOf: (rows: string) => string) {
    this.#width = width
    const row = `(${Array.from({ length: width }, () => '?').join(', ')})`
    this.#statements = sizes.map((rows) => ({ rows, sql: sqlOf(Array.from({ length: rows }, () => row).join(', ')) }))
  }

  /** The statement for many rows. */
  get sql(): string {
    return this.#statements[0]?.sql ?? ''
  }

  /** Writes rows given value by value, with what the statement takes besides; tells how many were written. */
  *write(db: Database, values: readonly SqlValue[], ...besides: SqlValue[]): Query<number> {
    let at = 0
    let written = 0
    for (const { rows, sql } of this.#statements) {
      const length = rows * this.#width
      for (; at + length <= values.length; at += length) {
        written += yield* db.run(sql, ...values.slice(at, at + length), ...besides)
      }
    }
    return written
  }
}
