// One open SQLite database: its settings, its prepared statements and its transactions.
import type { Clock } from '../../../lib/clock.ts'
import { encodedLists, type ListForm } from '../../../model/append.ts'
import { answerNow, performNow, type Query } from '../../query.ts'
import type { Database, SqlValue } from '../../sql/database/database.ts'
import { openDriver, type SqlDriver, type SqlStatement } from './driver.ts'
import {
  storeGone,
  notAStore,
  sqliteTooOld,
  storeMoved,
  storeNewer,
  toStoreError,
  hasResultCode,
  isOfTrigger,
} from './errors.ts'
import { checkFolder, inodeOf } from './file-place.ts'
import { findSeal } from './sealed.ts'
import { storeOlder } from '../../older.ts'
import { migrations } from '../migrations/migrations.ts'
import { unpack, type PackedQuery } from '../../sql/database/packed.ts'

// Marks a file as a Troupe store: 'Trou' in ASCII (sqlite.org/pragma.html#pragma_application_id).
const applicationId = 0x54726f75

// Before this version a write-ahead log could lose a commit (the WAL-reset bug, sqlite.org/wal.html).
const oldestVersion = [3, 51, 3] as const

export interface ConnectionOptions {
  /** A file, made when missing, or `:memory:`. */
  readonly path: string
  /** `normal` is faster; a power cut may then lose the last commits. */
  readonly synchronous: 'full' | 'normal'
  /** With it, now and then a write looks first whether the file is still in its place. */
  readonly clock?: Clock
  /** How inputs are kept that are lists; as they were encoded, unless told. */
  readonly lists?: ListForm | undefined
  /** False refuses a store whose tables are not those of this version, in place of making them so. */
  readonly migrate?: boolean
}

// What was acknowledged on a file that is gone is lost: of a second at most.
const fileCheckMs = 1_000

/** How a write begins and ends: as a transaction of its own, or as a part of one that somebody else commits. */
const own = { begin: 'begin immediate', commit: 'commit', rollback: 'rollback' }
const part = { begin: 'savepoint troupe', commit: 'release troupe', rollback: 'rollback to troupe; release troupe' }

/** An open database, which answers at once. Errors carry a code and a remedy. */
export class Connection implements Database {
  readonly location: string
  readonly lists: ListForm
  // Measured: beside one row a statement, 16 take 45 % of the time and 50 take 43 %; a list in JSON takes 60 %.
  readonly rowsAtOnce: readonly number[] = [16, 4, 1]
  readonly spread = 1
  readonly #driver: SqlDriver
  // Invariant: a statement is prepared once; the text is the key, and all texts are constants.
  readonly #statements = new Map<string, SqlStatement>()

  readonly #ways: typeof own
  #clock: Clock | undefined
  #inode: number | undefined
  #checkedAtMs = 0

  private constructor(driver: SqlDriver, { location, lists }: Pick<Connection, 'location' | 'lists'>, ways = own) {
    this.#driver = driver
    this.location = location
    this.lists = lists
    this.#ways = ways
  }

  /** The connection of somebody else on the same file, in the midst of a transaction: what is written is a part of that. */
  within(driver: SqlDriver): Connection {
    return new Connection(driver, this, part)
  }

  /** Opens the database, checks that it is ours and brings its schema up to date. Throws `store_busy` while another process does that. */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const location = options.path
    if (location !== ':memory:') checkPlace(location, options)
    let driver: SqlDriver
    try {
      driver = await openDriver(location)
    } catch (error) {
      throw toStoreError(error, location)
    }
    const connection = new Connection(driver, { location, lists: options.lists ?? encodedLists })
    try {
      connection.#prepare(options)
      connection.#clock = options.clock
      connection.#inode = inodeOf(location)
    } catch (error) {
      driver.close()
      throw toStoreError(error, location)
    }
    return connection
  }

  run(sql: string, ...values: (SqlValue | readonly SqlValue[])[]): Query<void> {
    // Lists are for who takes any number of rows at once.
    return answerNow(() => void this.#statement(sql).run(...(values as SqlValue[])))
  }

  change(sql: string, ...values: SqlValue[]): Query<number> {
    return answerNow(() => Number(this.#statement(sql).run(...values).changes))
  }

  get<T>(sql: string, ...values: SqlValue[]): Query<T | undefined> {
    return answerNow(() => this.#get<T>(sql, values))
  }

  has(sql: string, ...values: SqlValue[]): Query<boolean> {
    return answerNow(() => this.#get(sql, values) !== undefined)
  }

  all<T>(sql: string, ...values: SqlValue[]): Query<T[]> {
    return answerNow(() => this.#all<T>(sql, values))
  }

  /** Gives rows one after the other to `take`, until that gives false: for more of them than memory holds. */
  each<T>(take: (row: T) => boolean, sql: string, ...values: SqlValue[]): void {
    try {
      for (const row of this.#statement(sql).iterate(...values)) if (!take(row as T)) return
    } catch (error) {
      throw toStoreError(error, this.location)
    }
  }

  allPacked<T>(query: PackedQuery<T>, ...values: SqlValue[]): Query<T[]> {
    return answerNow(() => unpack(query, this.#get<{ rows: string }>(query.sql, values)?.rows ?? '[]'))
  }

  /** Performs `work` as one write transaction: all of it is durable when this returns, or none of it happened. */
  write<T>(work: () => Query<T>): T {
    return this.#transact(() => performNow(work()))
  }

  /** Performs reads so that they see one state of the database. */
  read<T>(work: () => Query<T>): T {
    try {
      return performNow(work())
    } catch (error) {
      throw toStoreError(error, this.location)
    }
  }

  /** Throws `store_newer`: a newer version may have brought the schema on since this process opened the file, and what this one writes may be wrong there. */
  checkSchema(): void {
    if (this.location === ':memory:') return
    const version = this.#pragma('user_version')
    if (version > migrations.length) throw storeNewer(this.location, version, migrations.length)
  }

  close(): void {
    this.#checkpoint()
    this.#statements.clear()
    this.#driver.close()
  }

  #transact<T>(work: () => T): T {
    try {
      this.#checkFile()
      this.#statement(this.#ways.begin).run()
      this.checkSchema()
      const result = work()
      this.#statement(this.#ways.commit).run()
      return result
    } catch (error) {
      this.#rollback()
      throw isOfTrigger(error) ? this.#movedOr(error) : toStoreError(error, this.location)
    }
  }

  /** A transaction of somebody else may have triggers of theirs. */
  #movedOr(error: unknown): unknown {
    const seal = performNow(findSeal(this))
    return seal === undefined ? error : storeMoved(this.location, seal, error)
  }

  #get<T>(sql: string, values: readonly SqlValue[] = []): T | undefined {
    return (this.#statement(sql).get(...values) ?? undefined) as T | undefined
  }

  #all<T>(sql: string, values: readonly SqlValue[]): T[] {
    const statement = this.#statement(sql)
    try {
      return statement.all(...values) as T[]
    } catch (error) {
      throw hasResultCode(error) ? error : (errorOf(() => statement.get(...values)) ?? error)
    }
  }

  #statement(sql: string): SqlStatement {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#driver.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  // The library of Node 20 keeps a closed file open until its statements are collected, and with it the log:
  // from here on the file alone holds everything.
  #checkpoint(): void {
    try {
      this.#driver.exec('pragma wal_checkpoint(truncate)')
    } catch {
      // Another connection is at it, or the disk is full: the log stays, and whoever opens the file next reads it.
    }
  }

  /** SQLite goes on with a file that was removed or replaced, and what is written then is gone with this process. */
  #checkFile(): void {
    if (this.#clock === undefined || this.#inode === undefined) return
    const nowMs = this.#clock.monotonic()
    if (nowMs - this.#checkedAtMs < fileCheckMs) return
    if (inodeOf(this.location) !== this.#inode) throw storeGone(this.location)
    this.#checkedAtMs = nowMs
  }

  #rollback(): void {
    try {
      this.#driver.exec(this.#ways.rollback)
    } catch {
      // SQLite has rolled back by itself (as on a full disk); there is nothing left to undo.
    }
  }

  #prepare(options: ConnectionOptions): void {
    this.#checkVersion()
    // A busy file is waited for between turns of the event loop, never inside one.
    this.#driver.exec('pragma busy_timeout = 0')
    this.#checkOwner()
    this.#driver.exec('pragma journal_mode = wal')
    this.#driver.exec(`pragma synchronous = ${options.synchronous}`)
    this.#driver.exec('pragma wal_autocheckpoint = 4000')
    this.#migrate(options.migrate ?? true)
  }

  #checkVersion(): void {
    const { version } = this.#get<{ version: string }>('select sqlite_version() as version') ?? { version: '0' }
    const found = version.split('.').map(Number)
    for (const [place, least] of oldestVersion.entries()) {
      const part = found[place] ?? 0
      if (part > least) return
      if (part < least) throw sqliteTooOld(version)
    }
  }

  #checkOwner(): void {
    const tables = this.#get<{ tables: number }>('select count(*) as tables from sqlite_schema')?.tables ?? 0
    // Race: another process may be making the store; its tables come with its mark, so the mark is read after them.
    if (tables > 0 && this.#pragma('application_id') !== applicationId) throw notAStore(this.location)
  }

  #migrate(isAllowed: boolean): void {
    const found = this.#pragma('user_version')
    if (found === migrations.length) return
    if (found < migrations.length && !isAllowed) throw storeOlder(this.location, found, migrations.length)
    this.#transact(() => {
      // Race: another process may have migrated between the look above and this lock.
      const version = this.#pragma('user_version')
      for (const step of migrations.slice(version)) this.#driver.exec(step)
      this.#driver.exec(`pragma application_id = ${applicationId}`)
      this.#driver.exec(`pragma user_version = ${migrations.length}`)
    })
  }

  #pragma(name: string): number {
    return this.#get<Record<string, number>>(`pragma ${name}`)?.[name] ?? 0
  }
}

/** What fails again: the library of Node 20 tells no result code when `all` fails, and one when `get` does. A write is undone by its transaction. */
function errorOf(work: () => unknown): unknown {
  try {
    work()
    return undefined
  } catch (error) {
    return error
  }
}

function checkPlace(path: string, { migrate = true }: Pick<ConnectionOptions, 'migrate'>): void {
  if (!migrate && inodeOf(path) === undefined) throw storeOlder(path, 0, migrations.length)
  checkFolder(path)
}
