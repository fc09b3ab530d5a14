// Postgres as the store asks it: each statement is a request, which whoever performs the query sends to its connection.
import type { ListForm } from '../../model/append.ts'
import type { Query } from '../query.ts'
import type { Database, SqlValue } from '../sql/database/database.ts'
import type { PackedQuery } from '../sql/database/packed.ts'

/** It has no connection of its own: a transaction is that of whoever performs. */
export class PostgresDatabase implements Database {
  readonly lists: ListForm
  readonly rowsAtOnce: readonly number[] = [256, 64, 16, 4, 1]

  constructor(lists: ListForm) {
    this.lists = lists
  }

  *run(sql: string, ...values: SqlValue[]): Query<void> {
    yield { sql, values, isBlind: true }
  }

  *change(sql: string, ...values: SqlValue[]): Query<number> {
    const { changes } = yield { sql, values }
    return changes
  }

  *get<T>(sql: string, ...values: SqlValue[]): Query<T | undefined> {
    const { rows } = yield { sql, values }
    return rows[0] as T | undefined
  }

  *has(sql: string, ...values: SqlValue[]): Query<boolean> {
    const { rows } = yield { sql, values }
    return rows.length > 0
  }

  *all<T>(sql: string, ...values: SqlValue[]): Query<T[]> {
    const { rows } = yield { sql, values }
    return rows as T[]
  }

  *allPacked<T>({ plain }: PackedQuery<T>, ...values: SqlValue[]): Query<T[]> {
    const { rows } = yield { sql: plain, values }
    return rows as T[]
  }
}
