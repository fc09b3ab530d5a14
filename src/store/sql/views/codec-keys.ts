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

// What cannot be read as JSON is left to those who read the value.
function countOf({ table, column, field }: Coded): string {
  const text = `${table}.${column}`
  const whole = `
select substr(${text}, 2, instr(${text}, ':') - 2) as layers from ${table} where ${text} glob 'x*(*)*:*'`
  const parts = `
select substr(part.value, 2, instr(part.value, ':') - 2)
from ${table} cross join json_tree(case when json_valid(${text}) then ${text} else '{}' end) as part
where ${text} glob '{*"${field}":"x*' and part.key = '${field}' and part.value glob 'x*(*)*:*'`
  const all = field === undefined ? whole : `${whole} union all ${parts}`
  return `select layers, count(*) as "values" from (${all}) group by layers`
}
