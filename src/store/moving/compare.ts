// Whether a copy is what was copied: as many rows in each table, and the same hash of them, computed from what each store gives.
import { createHash } from 'node:crypto'
import { copyDiffers } from './errors.ts'
import type { MovedTable, Moving } from './moving.ts'
import type { Row, Table } from './tables.ts'

interface Compared extends MovedTable {
  readonly isSame: boolean
}

/** Throws `store_corrupt` with the names of the tables that differ. */
export async function compareTables(moving: Moving): Promise<MovedTable[]> {
  const compared: Compared[] = []
  let rows = 0
  for (const table of moving.tables) {
    const one = await compareTable(moving, table, rows)
    rows += one.rows
    compared.push(one)
  }
  const differing = compared.filter(({ isSame }) => !isSame)
  if (differing.length > 0)
    throw copyDiffers(
      moving.target.location,
      differing.map(({ table }) => table),
    )
  return compared.map(({ table, rows, hash }) => ({ table, rows, hash }))
}

async function compareTable(moving: Moving, table: Table, rowsBefore: number): Promise<Compared> {
  const { source, target, total, told } = moving
  const here = new TableHash()
  const there = new TableHash()
  let after: Row | undefined
  do {
    const { rows, last } = source.slice(table, after)
    here.add(rows)
    // One more than there should be, so that what is too much is found.
    there.add(await target.read(table, { after, last, limit: rows.length + 1 }))
    told({ doing: 'compare', table: table.name, rows: rowsBefore + here.rows, total })
    after = last
  } while (after !== undefined)
  const hash = here.end()
  const isSame = hash === there.end() && here.rows === there.rows
  return { table: table.name, rows: here.rows, hash, isSame }
}

class TableHash {
  rows = 0
  readonly #hash = createHash('sha256')

  add(rows: readonly Row[]): void {
    this.rows += rows.length
    for (const row of rows) this.#hash.update(`${JSON.stringify(row)}\n`)
  }

  end(): string {
    return this.#hash.digest('hex')
  }
}
