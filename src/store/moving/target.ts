// Where a store is moved to: an empty schema of a Postgres, which no program can open before all of it is there.
import { isTroupeError } from '../../lib/errors.ts'
import { optionInvalid } from '../../model/errors.ts'
import { configOf, loadDriver, type Client } from '../postgres/client.ts'
import { toStoreError } from '../postgres/errors.ts'
import { migrate, unfinishedStep } from '../postgres/migrations/migrations.ts'
import { lockOf, type Place } from '../postgres/place.ts'
import type { Move } from '../sqlite/connection/sealed.ts'
import { moveUnderWay, targetNotEmpty } from './errors.ts'
import { keyOf, listOf, type Column, type ColumnType, type Row, type Table } from './tables.ts'

/** What began here and has not ended. */
interface Begun {
  readonly id: string
  /** 1 when anything was copied, be it a table without rows. */
  readonly isCopied: number
}

/** How far a table has come. */
interface Copied {
  readonly rows: number
  /** The key of the last row; undefined for none. */
  readonly after: Row | undefined
  readonly isWhole: boolean
}

/** A part of a table, in the order of its key. */
interface Range {
  readonly after: Row | undefined
  /** Undefined up to the end. */
  readonly last: Row | undefined
  readonly limit: number
}

interface Written {
  readonly rows: readonly Row[]
  readonly isLast: boolean
}

// The server takes a moment to see that a process is gone.
const lockMs = 3_000

const findTable = `select to_regclass('move') is not null as found`

const findMove = `select id, bool_or(is_whole or rows > 0) as "isCopied" from move group by id`

// Its progress: a row for each table.
const createMove = `
create table move (
  name text primary key,
  id text not null,
  after text,
  rows bigint not null default 0,
  is_whole boolean not null default false
)`

const findCopied = `select rows, after, is_whole from move where name = $1`

const findGenerated = `
select table_name as name, column_name as column from information_schema.columns
where table_schema = current_schema() and is_identity = 'YES'`

// What a file counts in rows, of which a transaction takes numbers, is a sequence here.
const ofSequences = `name in ('run', 'epoch', 'turn', 'message')`
const setSequences = `select setval('counter_' || name, greatest(value, 1), value > 0) from counter where ${ofSequences}`
const setGenerated = `select setval(pg_get_serial_sequence($1, $2), $3, $4)`

const types: Readonly<Record<ColumnType, string>> = { integer: 'bigint', real: 'double precision', text: 'text' }

export class Target {
  /** Where it is, for people. */
  readonly location: string
  readonly #client: Client
  readonly #place: Place
  readonly #tables: readonly Table[]

  private constructor(client: Client, place: Place, tables: readonly Table[]) {
    this.#client = client
    this.#place = place
    this.location = place.shown
    this.#tables = tables
  }

  /** Connects, for as long as no other process does the same. Throws `move_refused`, `option_invalid`, `store_…`. */
  static async open(place: Place, tables: readonly Table[]): Promise<Target> {
    if (place.isPooled) throw optionInvalid('to', place.shown, 'the URL of the server itself, not of a pooler')
    const { Client } = await loadDriver()
    const target = new Target(new Client(unhurried(place)), place, tables)
    try {
      await target.#connect()
    } catch (error) {
      await target.close()
      throw error
    }
    return target
  }

  /** The move that began here; undefined when there is none. */
  async findMove(): Promise<Begun | undefined> {
    const [table] = await this.#all<{ found: number }>(findTable)
    if (table?.found !== 1) return undefined
    const [move] = await this.#all<Begun>(findMove)
    return move
  }

  /** Makes the tables. Throws `move_refused` when they are there and hold anything. */
  async prepare(): Promise<void> {
    const { Pool } = await loadDriver()
    const pool = new Pool(configOf(this.#place, 1))
    pool.on('error', () => {})
    try {
      await migrate(this.#place, pool)
    } finally {
      await pool.end()
    }
    await this.#checkEmpty()
  }

  /** From here on no program opens it, until it is whole. Throws `move_refused` when something came into it meanwhile. */
  begin({ id }: Pick<Move, 'id'>): Promise<void> {
    return this.#alone(async () => {
      await this.#checkEmpty()
      await this.#all(`insert into migration (step) values (${unfinishedStep})`)
      // A store that is new has its counters.
      await this.#all(`delete from counter`)
      await this.#all(createMove)
      for (const { name } of this.#tables) await this.#all(`insert into move (name, id) values ($1, $2)`, [name, id])
    })
  }

  async copied({ name }: Table): Promise<Copied> {
    const [row] = await this.#all<{ rows: number; after: string | null; is_whole: number }>(findCopied, [name])
    const after = row?.after ?? null
    return {
      rows: row?.rows ?? 0,
      after: after === null ? undefined : (JSON.parse(after) as Row),
      isWhole: row?.is_whole === 1,
    }
  }

  /** Writes rows, and how far it has come with them: both or neither. */
  async write(table: Table, { rows, isLast }: Written): Promise<void> {
    const { columns, name } = table
    const end = rows.at(-1)
    const after = end === undefined ? null : JSON.stringify(keyOf(table, end))
    const given = columns.map(({ type }, at) => `$${at + 5}::${types[type]}[]`).join(', ')
    await this.#all(
      `with written as (insert into "${name}" (${listOf(columns)}) select * from unnest(${given}))
      update move set rows = rows + $1, after = coalesce($2, after), is_whole = $3 where name = $4`,
      [rows.length, after, isLast, name, ...columns.map((_column, at) => rows.map((row) => row[at]))],
    )
  }

  async read({ name, columns, key }: Table, { after, last, limit }: Range): Promise<Row[]> {
    const list = listOf(key)
    const values = [...(after ?? []), ...(last ?? [])]
    const bounds = [
      ...(after === undefined ? [] : [`(${list}) > (${parametersOf(key, 1)})`]),
      ...(last === undefined ? [] : [`(${list}) <= (${parametersOf(key, 1 + (after?.length ?? 0))})`]),
    ]
    const where = bounds.length === 0 ? '' : `where ${bounds.join(' and ')}`
    const rows = await this.#all<Record<string, Row[number]>>(
      `select ${listOf(columns)} from "${name}" ${where} order by ${list} limit ${limit}`,
      values,
    )
    return rows.map((row) => columns.map((column) => row[column.name] ?? null))
  }

  /** Lets what is new go on behind the greatest number that there was, and the server know how many rows there are. */
  async goOn(greatestOf: (table: string, column: string) => number): Promise<void> {
    const own = new Set(this.#tables.map(({ name }) => name))
    const generated = await this.#all<{ name: string; column: string }>(findGenerated)
    for (const { name, column } of generated) {
      if (!own.has(name)) continue
      const greatest = greatestOf(name, column)
      await this.#all(setGenerated, [name, column, Math.max(greatest, 1), greatest > 0])
    }
    for (const name of own) await this.#all(`analyze "${name}"`)
  }

  /** Programs can open it. */
  finish(): Promise<void> {
    return this.#alone(async () => {
      await this.#all(setSequences)
      await this.#all(`delete from counter where ${ofSequences}`)
      await this.#all('drop table move')
      await this.#all(`delete from migration where step = ${unfinishedStep}`)
    })
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined)
  }

  async #connect(): Promise<void> {
    // A connection that is lost says so as an event too: the next query tells.
    this.#client.on('error', () => {})
    try {
      await this.#client.connect()
    } catch (error) {
      throw toStoreError(error, this.location)
    }
    try {
      await this.#all(lockOfMove(this.#place))
    } catch (error) {
      throw isTroupeError(error, 'store_busy') ? moveUnderWay(this.location) : error
    }
  }

  async #checkEmpty(): Promise<void> {
    const looks = this.#tables
      .filter(({ name }) => name !== 'counter')
      .map(({ name }) => `select '${name}' as name where exists (select 1 from "${name}")`)
    const full = await this.#all<{ name: string }>(`${looks.join(' union all ')} order by name`)
    if (full.length > 0)
      throw targetNotEmpty(
        this.location,
        full.map(({ name }) => name),
      )
  }

  /** One transaction that is alone on the store, as all that write to it are. */
  async #alone(work: () => Promise<void>): Promise<void> {
    await this.#all('begin')
    try {
      await this.#all(`select pg_advisory_xact_lock(${lockOf(this.#place)})`)
      await work()
      await this.#all('commit')
    } catch (error) {
      await this.#client.query('rollback').catch(() => undefined)
      throw error
    }
  }

  async #all<T>(sql: string, values: readonly unknown[] = []): Promise<T[]> {
    try {
      const { rows } = await this.#client.query({ text: sql, values: [...values] })
      return rows as T[]
    } catch (error) {
      throw toStoreError(error, this.location)
    }
  }
}

/** A lock that lasts as long as the connection, beside that of the store. */
function lockOfMove({ schema }: Place): string {
  return `select pg_advisory_lock(hashtextextended('troupe move ${schema}', 0))`
}

function parametersOf(key: readonly Column[], from: number): string {
  return key.map(({ type }, at) => `$${at + from}::${types[type]}`).join(', ')
}

/** A large table takes its time. */
function unhurried(place: Place): ReturnType<typeof configOf> {
  const settings = { statement_timeout: 0, lock_timeout: lockMs, idle_in_transaction_session_timeout: 0 }
  return { ...configOf(place, 1, settings), application_name: 'troupe migrate', query_timeout: 0 }
}
