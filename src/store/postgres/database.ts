// Postgres as the store asks it: each statement is a request, which whoever performs the query sends to its connection.
import type { ListForm } from '../../model/append.ts'
import type { Answer, Query } from '../query.ts'
import type { Database, SqlValue } from '../sql/database/database.ts'
import type { PackedQuery } from '../sql/database/packed.ts'

/** It has no connection of its own: a transaction is that of whoever performs. */
export class PostgresDatabase implements Database {
  readonly lists: ListForm
  // One statement is planned and answered once, however many rows it takes.
  readonly rowsAtOnce = 'any'
  // Measured: a row of 50,000 versions, ten minutes of them, takes 2 ms to find.
  readonly spread = 64

  constructor(lists: ListForm) {
    this.lists = lists
  }

  *run(sql: string, ...values: (SqlValue | readonly SqlValue[])[]): Query<void> {
    yield [{ sql, values, isBlind: true }]
  }

  *change(sql: string, ...values: SqlValue[]): Query<number> {
    const [answer] = yield [{ sql, values }]
    return answer?.changes ?? 0
  }

  *get<T>(sql: string, ...values: SqlValue[]): Query<T | undefined> {
    const [answer] = yield [{ sql, values }]
    return answer?.rows[0] as T | undefined
  }

  *has(sql: string, ...values: SqlValue[]): Query<boolean> {
    const [answer] = yield [{ sql, values }]
    return (answer?.rows.length ?? 0) > 0
  }

  *all<T>(sql: string, ...values: SqlValue[]): Query<T[]> {
    const [answer] = yield [{ sql, values }]
    return rowsOf(answer)
  }

  *allPacked<T>({ plain }: PackedQuery<T>, ...values: SqlValue[]): Query<T[]> {
    const [answer] = yield [{ sql: plain, values }]
    return rowsOf(answer)
  }
}

function rowsOf<T>(answer: Answer | undefined): T[] {
  return (answer?.rows ?? []) as T[]
}
