// Under which keys values are stored: each says so of itself, so nobody needs the keys to know it.
import { layerOf, layersOf } from '../../../lib/coded-text.ts'
import type { CodecKey } from '../../operating.ts'
import { mapEach, type Query } from '../../query.ts'
import type { Database } from '../database/database.ts'

interface Coded {
  readonly table: string
  readonly column: string
  /** Where it is JSON, what of that is in the form of a codec. */
  readonly field?: string
}

/** Everything that goes through codecs. */
const codedColumns: readonly Coded[] = [
  { table: 'run', column: 'input' },
  { table: 'schedule', column: 'input' },
  { table: 'step', column: 'value', field: 'coded' },
  { table: 'attempt', column: 'error', field: 'coded' },
  { table: 'finished', column: 'value', field: 'coded' },
  { table: 'undoing', column: 'value', field: 'coded' },
  { table: 'token', column: 'value', field: 'coded' },
  { table: 'state', column: 'value' },
  { table: 'message', column: 'value' },
  { table: 'message', column: 'refused' },
  { table: 'ask', column: 'value' },
  { table: 'ask', column: 'reply', field: 'coded' },
  { table: 'event', column: 'value' },
  { table: 'emitted', column: 'value' },
  { table: 'log', column: 'text' },
  { table: 'log', column: 'fields' },
  { table: 'cancel_request', column: 'reason' },
  { table: 'wait', column: 'name', field: 'end' },
  { table: 'audit', column: 'details', field: 'reason' },
  { table: 'investigation', column: 'notes' },
]

/** Reads every row of every table that holds data of programs. */
export function* countCodecKeys(db: Database): Query<CodecKey[]> {
  const counts = new Map<string, CodecKey>()
  const rows = yield* mapEach(codedColumns, (column) => db.all<{ layers: string; values: number }>(countOf(column)))
  for (const { layers, values } of rows.flat()) {
    for (const { name: codec, key } of layersOf(`x${layers}:`).map(layerOf)) {
      const id = `${codec} ${key}`
      if (key !== undefined) counts.set(id, { codec, key, values: (counts.get(id)?.values ?? 0) + values })
    }
  }
  return [...counts].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, count]) => count)
}

function countOf({ table, column, field }: Coded): string {
  const all =
    field === undefined
      ? wholeIn(table, column)
      : `${wholeIn(table, column)} union all ${partsIn(table, column, field)}`
  return `select layers, count(*) as "values" from (${all}) as coded group by layers`
}

function wholeIn(table: string, column: string): string {
  return `
select substr(${column}, 2, instr(${column}, ':') - 2) as layers from ${table}
where substr(${column}, 1, 1) = 'x' and ${column} like '%(%)%:%'`
}

/** One after the other: each rest of a text begins behind what names the next one. In JSON, a text has no such quotes inside. */
function partsIn(table: string, column: string, field: string): string {
  const mark = `"${field}":"x`
  const restOf = (text: string): string => `
select substr(${text}, instr(${text}, '${mark}') + ${mark.length}) as rest`
  return `
select substr(rest, 1, instr(rest, ':') - 1) from (
  with recursive part as (
    ${restOf(column)} from ${table} where substr(${column}, 1, 1) = '{' and instr(${column}, '${mark}') > 0
    union all ${restOf('rest')} from part where instr(rest, '${mark}') > 0
  ) select rest from part where rest like '%(%)%:%') as parts`
}
