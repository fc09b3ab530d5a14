// What the store needs of a SQL database: statements in the one text that all of them are written in.
import type { ListForm } from '../../../model/append.ts'
import type { Query } from '../../query.ts'
import type { PackedQuery } from './packed.ts'

/** A value that a statement is given. */
export type SqlValue = string | number | bigint | null | Uint8Array

/** A database, or a transaction on one. Statements are constants: each is prepared once. */
export interface Database {
  /** How inputs are kept that are lists. */
  readonly lists: ListForm
  /** With how many rows a statement for many is best given, the most first; the last is one. Or as lists, one for each column. */
  readonly rowsAtOnce: readonly number[] | 'any'
  /** Into how many rows what each transaction changes is divided. Where old versions of a row stay for as long as somebody's transaction is open, one row of them all would be slower each time. */
  readonly spread: number
  /** Runs a statement of which nobody asks what it did: a database that answers later is not waited for. Should it fail, so does the transaction. */
  run(sql: string, ...values: (SqlValue | readonly SqlValue[])[]): Query<void>
  /** Runs a statement, and tells how many rows it changed. */
  change(sql: string, ...values: SqlValue[]): Query<number>
  /** The first row, or undefined. */
  get<T>(sql: string, ...values: SqlValue[]): Query<T | undefined>
  /** Whether there is a row. */
  has(sql: string, ...values: SqlValue[]): Query<boolean>
  /** All rows. */
  all<T>(sql: string, ...values: SqlValue[]): Query<T[]>
  /** All rows, for many rows of many columns. */
  allPacked<T>(query: PackedQuery<T>, ...values: SqlValue[]): Query<T[]>
}
