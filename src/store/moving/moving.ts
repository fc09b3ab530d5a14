// Moving up: all that a file holds goes to a Postgres, is compared row by row, and goes on there.
import { randomUUID } from 'node:crypto'
import { systemClock, type Clock } from '../../lib/clock.ts'
import { optionInvalid } from '../../model/errors.ts'
import { pathOf } from '../open.ts'
import { isPostgresUrl, placeOf, withoutPassword } from '../postgres/place.ts'
import { storeMoved } from '../sqlite/connection/errors.ts'
import type { Move } from '../sqlite/connection/sealed.ts'
import { compareTables } from './compare.ts'
import { moveCutOff, moveOfAnother } from './errors.ts'
import { Source } from './source.ts'
import { tablesOfStores, type Table } from './tables.ts'
import { Target } from './target.ts'

export interface MoveOptions {
  /** Goes on with a move that was cut off; without it that is refused. */
  readonly resume?: boolean
  /** Called with each slice that was copied or compared; what it throws ends the move, which can be resumed. */
  readonly onProgress?: (progress: MoveProgress) => void
}

interface MoveRequest extends MoveOptions {
  readonly from: string
  readonly to: string
}

export interface MoveProgress {
  readonly doing: 'copy' | 'compare' | 'open'
  readonly table: string
  /** Of all tables: how many are copied, or compared, and how many there are. */
  readonly rows: number
  readonly total: number
}

export interface MovedTable {
  readonly table: string
  readonly rows: number
  /** Of its rows in the order of their keys, SHA-256 in hexadecimal: the same in both stores. */
  readonly hash: string
}

/** What a move is made with. */
export interface Moving {
  readonly source: Source
  readonly target: Target
  readonly tables: readonly Table[]
  readonly told: (progress: MoveProgress) => void
  readonly total: number
}

/**
 * Moves a store from `sqlite:PATH` to `postgres://…`, where its runs go on; tells what each table had.
 *
 * From its beginning on nobody writes to the file, and nobody opens the other before all of it is there and was compared.
 * In the end the file says for good where its runs are. A move that was cut off goes on with `resume`, or is taken back by `giveUpMove`.
 *
 * Throws: `move_refused` while nodes of the file have a lease, for a target that is not empty, and for a move that was cut off;
 * `store_corrupt` when the copy differs; `option_invalid`, `store_moved`, `store_…`.
 *
 * ```ts no-run
 * import { moveStore } from 'troupe'
 * const tables = await moveStore('sqlite:.troupe/troupe.db', 'postgres://app:secret@db.internal:5432/app', {
 *   onProgress: ({ doing, table, rows, total }) => console.error(`${doing} ${table}: ${rows} of ${total} rows`),
 * })
 * for (const { table, rows, hash } of tables) console.log(table, rows, hash)
 * ```
 */
export function moveStore(from: string, to: string, options: MoveOptions = {}): Promise<MovedTable[]> {
  return moveWithin(systemClock, { ...options, from, to })
}

/** The same, by the time of a clock. */
export async function moveWithin(clock: Clock, request: MoveRequest): Promise<MovedTable[]> {
  const { from, to, resume = false, onProgress = () => {} } = request
  if (!isPostgresUrl(to)) throw optionInvalid('to', withoutPassword(String(to)), 'postgres://…')
  const tables = await tablesOfStores()
  const source = await Source.open(fileOf(from), tables, clock)
  try {
    const target = await Target.open(placeOf(to), tables)
    try {
      const move = await begin({ source, target }, resume)
      const total = tables.reduce((sum, table) => sum + source.count(table), 0)
      return await carryOut({ source, target, tables, total, told: onProgress }, move)
    } finally {
      await target.close()
    }
  } finally {
    source.close()
  }
}

/**
 * Takes back a move that was cut off: the file takes writes again. What was copied stays where it is, and counts for nothing.
 *
 * Throws: `move_refused` when the file is not being moved, `store_moved` when it was; `option_invalid`, `store_…`.
 */
export async function giveUpMove(from: string): Promise<void> {
  const source = await Source.open(fileOf(from), await tablesOfStores(), systemClock)
  try {
    await source.unseal()
  } finally {
    source.close()
  }
}

/** Begins a move, or goes on with one: from here on nobody writes to either. */
async function begin({ source, target }: Pick<Moving, 'source' | 'target'>, isResumed: boolean): Promise<Move> {
  const seal = source.findSeal()
  const begun = await target.findMove()
  if (seal?.isDone === true && seal.id !== begun?.id) throw storeMoved(source.location, seal)
  // What was copied before the file was written to again is worth nothing.
  if (begun?.isCopied === 1 && seal?.id !== begun.id) throw moveOfAnother(source.location)
  if (seal !== undefined && !isResumed) throw moveCutOff(source.location, seal.target)
  const move = { id: begun?.id ?? randomUUID(), target: target.location }
  if (begun !== undefined && seal?.id === begun.id) return move
  source.checkAtRest()
  if (begun === undefined) {
    await target.prepare()
    await target.begin(move)
  }
  await source.seal(move)
  return move
}

/** copy → compare → say in the file where its runs are → let programs open what it was moved to */
async function carryOut(moving: Moving, move: Move): Promise<MovedTable[]> {
  const { source, target, tables, total, told } = moving
  await copyTables(moving)
  const moved = await compareTables(moving)
  await target.goOn((name, column) => {
    const table = tables.find((one) => one.name === name)
    return table === undefined ? 0 : source.greatest(table, column)
  })
  // Invariant: I6. The file is done with before anybody can claim a run over there.
  await source.finish(move)
  told({ doing: 'open', table: '', rows: total, total })
  await target.finish()
  return moved
}

async function copyTables({ source, target, tables, total, told }: Moving): Promise<void> {
  let rows = 0
  for (const table of tables) {
    let copied = await target.copied(table)
    rows += copied.rows
    while (!copied.isWhole) {
      const slice = source.slice(table, copied.after)
      await target.write(table, { rows: slice.rows, isLast: slice.last === undefined })
      rows += slice.rows.length
      told({ doing: 'copy', table: table.name, rows, total })
      copied = { rows: copied.rows + slice.rows.length, after: slice.last, isWhole: slice.last === undefined }
    }
  }
}

function fileOf(url: string): string {
  const path = pathOf(url)
  if (path === undefined || path === ':memory:')
    throw optionInvalid('from', withoutPassword(String(url)), 'sqlite:PATH')
  return path
}
