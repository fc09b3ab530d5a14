// Values of rows, many to a statement.
import type { Query } from '../../query.ts'
import type { Database, SqlValue } from './database.ts'

/** A statement for rows, in as many forms as there are numbers of rows it takes. */
export class ManyRows {
  readonly #width: number
  readonly #sqlOf: (rows: string) => string
  readonly #forms = new Map<number, string>()

  /** `sqlOf` makes the statement of the placeholders of its rows, each of `width` values. */
  constructor(width: number, sqlOf: (rows: string) => string) {
    this.#width = width
    this.#sqlOf = sqlOf
  }

  /** The statement for so many rows. */
  sqlFor(rows: number): string {
    const known = this.#forms.get(rows)
    if (known !== undefined) return known
    const row = `(${Array.from({ length: this.#width }, () => '?').join(', ')})`
    const made = this.#sqlOf(Array.from({ length: rows }, () => row).join(', '))
    this.#forms.set(rows, made)
    return made
  }

  /** Writes rows given value by value, with what the statement takes besides. */
  *write(db: Database, values: readonly SqlValue[], ...besides: SqlValue[]): Query<void> {
    let at = 0
    for (const rows of db.rowsAtOnce) {
      const length = rows * this.#width
      for (; at + length <= values.length; at += length) {
        yield* db.run(this.sqlFor(rows), ...values.slice(at, at + length), ...besides)
      }
    }
  }
}
