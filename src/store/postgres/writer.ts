// The proof that a transaction was committed: each says its number in the row of its writer, where it is looked for when the answer to a commit is lost.
import type { Query } from '../query.ts'

const now = '(extract(epoch from clock_timestamp()) * 1000)::bigint'

// By primary key. It changes nothing that an index holds, so its page makes room again without a vacuum.
const keepNumber = `
insert into writer (id, slot, n, at) values (?, ?, ?, ${now})
on conflict (id, slot) do update set n = excluded.n, at = excluded.at`

// As many rows take turns: see `spread` of the database.
const slots = 64

// A day is longer than anybody is in doubt. A scan: there are as many rows as processes that wrote since.
const forgetWriters = `delete from writer where at < ${now} - 86400000`

// By primary key.
const findNumber = `select n from writer where id = ? and slot = ?`

/**
 * One who writes one transaction after the other, and begins none while in doubt about the one before.
 *
 * The number that Postgres itself gives a transaction proves nothing: what was not on the disk when a server died is given out again.
 */
export class Writer {
  readonly #id: string
  #last = 0

  constructor(id: string) {
    this.#id = id
  }

  /** The number of the next transaction. */
  next(): number {
    return ++this.#last
  }

  /** Performs what a transaction does, its number first. */
  *numbered<T>(n: number, work: () => Query<T>): Query<T> {
    if (n === 1) yield [{ sql: forgetWriters, values: [], isBlind: true }]
    yield [{ sql: keepNumber, values: [this.#id, n % slots, n], isBlind: true }]
    return yield* work()
  }

  /** Whether that transaction was committed: the last one, and it is over. */
  *hasCommitted(n: number): Query<boolean> {
    const [answer] = yield [{ sql: findNumber, values: [this.#id, n % slots] }]
    return (answer?.rows[0] as { n: number } | undefined)?.n === n
  }
}
