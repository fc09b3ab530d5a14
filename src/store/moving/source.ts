// What is moved: the file of a store, which nobody writes to meanwhile.
import { statSync } from 'node:fs'
import type { Clock } from '../../lib/clock.ts'
import { performNow, type Query } from '../query.ts'
import { clockValue } from '../sql/counters.ts'
import { listNodes } from '../sql/nodes/nodes.ts'
import { StoreClock } from '../sql/nodes/store-clock.ts'
import { untilFree } from '../sqlite/connection/busy.ts'
import { Connection } from '../sqlite/connection/connection.ts'
import { storeMoved } from '../sqlite/connection/errors.ts'
import { findSeal, finishSeal, seal, unseal, type Move, type Seal } from '../sqlite/connection/sealed.ts'
import { moveOfAnother, nodesAlive, noStoreIn, nothingToGiveUp } from './errors.ts'
import { keyOf, listOf, type Row, type Table, type Value } from './tables.ts'

/** Rows of a table in the order of its key, no more than memory is to hold. */
interface Slice {
  readonly rows: readonly Row[]
  /** The key of the last of them; undefined when none come after them. */
  readonly last: Row | undefined
}

// A slice ends with the row that brings it to either.
const mostRows = 1_000
const mostLength = 4_000_000

const findGreatest = `select seq from sqlite_sequence where name = ?`

export class Source {
  readonly location: string
  readonly #db: Connection
  readonly #tables: readonly Table[]
  readonly #clock: Clock

  private constructor(db: Connection, tables: readonly Table[], clock: Clock) {
    this.#db = db
    this.location = db.location
    this.#tables = tables
    this.#clock = clock
  }

  /** Opens a file, whose tables are brought up to date. Throws `store_unavailable` where there is none, `store_…`. */
  static async open(path: string, tables: readonly Table[], clock: Clock): Promise<Source> {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) throw noStoreIn(path)
    const options = { path, synchronous: 'full' as const, clock }
    const db = await untilFree(options, () => Connection.open(options))
    return new Source(db, tables, clock)
  }

  findSeal(): Seal | undefined {
    return this.#db.read(() => findSeal(this.#db))
  }

  /** Throws `move_refused` while a node may still write. */
  checkAtRest(): void {
    this.#db.read(() => this.#checkAtRest())
  }

  /** Lets nobody write any more, of whatever version. Throws `move_refused` as above. */
  seal(move: Move): Promise<void> {
    return this.#write(() => this.#seal(move))
  }

  /** Its runs are elsewhere now. Throws `move_refused` when it was given up meanwhile, or is moved anew. */
  finish(move: Move): Promise<void> {
    return this.#write(() => this.#finish(move))
  }

  /** Lets it be written to again. Throws `move_refused` when it is not being moved, `store_moved` when it was. */
  unseal(): Promise<void> {
    return this.#write(() => this.#unseal())
  }

  /** The next rows behind a key, or the first. */
  slice(table: Table, after: Row | undefined): Slice {
    const rows: Row[] = []
    let length = 0
    const take = (row: Readonly<Record<string, Value>>): boolean => {
      const values = table.columns.map(({ name }) => row[name] ?? null)
      rows.push(values)
      length += lengthOf(values)
      return rows.length < mostRows && length < mostLength
    }
    const key = listOf(table.key)
    const behind = after === undefined ? '' : `where (${key}) > (${table.key.map(() => '?').join(', ')})`
    const sql = `select ${listOf(table.columns)} from "${table.name}" ${behind} order by ${key}`
    this.#db.each(take, sql, ...(after ?? []))
    const isFull = rows.length >= mostRows || length >= mostLength
    const end = rows.at(-1)
    return { rows, last: isFull && end !== undefined ? keyOf(table, end) : undefined }
  }

  count({ name }: Table): number {
    const row = performNow(this.#db.get<{ rows: number }>(`select count(*) as rows from "${name}"`))
    return row?.rows ?? 0
  }

  /** The greatest number that was ever given in a column of numbers: what is new goes on behind it. */
  greatest(table: Table, column: string): number {
    return this.#db.read(() => this.#greatest(table, column))
  }

  close(): void {
    this.#db.close()
  }

  *#seal(move: Move): Query<void> {
    // Race: a node may have come since somebody looked.
    yield* this.#checkAtRest()
    const found = yield* findSeal(this.#db)
    if (found?.isDone === true) throw storeMoved(this.location, found)
    if (found !== undefined) yield* unseal(this.#db, this.#names())
    yield* seal(this.#db, move, this.#names())
  }

  *#finish({ id }: Move): Query<void> {
    const found = yield* findSeal(this.#db)
    if (found?.id !== id) throw moveOfAnother(this.location)
    yield* finishSeal(this.#db)
  }

  *#unseal(): Query<void> {
    const found = yield* findSeal(this.#db)
    if (found === undefined) throw nothingToGiveUp(this.location)
    if (found.isDone) throw storeMoved(this.location, found)
    yield* unseal(this.#db, this.#names())
  }

  *#greatest({ name: table }: Table, column: string): Query<number> {
    const there = yield* this.#db.get<{ value: number | null }>(`select max("${column}") as value from "${table}"`)
    const given = yield* this.#db.get<{ seq: number }>(findGreatest, table)
    return Math.max(there?.value ?? 0, given?.seq ?? 0)
  }

  *#checkAtRest(): Query<void> {
    const time = new StoreClock(this.#clock, yield* clockValue(this.#db))
    const nodes = yield* listNodes(this.#db, time.now())
    const alive = nodes.filter(({ isExpired }) => !isExpired)
    if (alive.length > 0) throw nodesAlive(this.location, alive)
  }

  #names(): string[] {
    return this.#tables.map(({ name }) => name)
  }

  #write<T>(work: () => Query<T>): Promise<T> {
    return untilFree({ path: this.location, synchronous: 'full', clock: this.#clock }, () => this.#db.write(work))
  }
}

function lengthOf(values: Row): number {
  let length = 0
  for (const value of values) length += typeof value === 'string' ? value.length : 8
  return length
}
