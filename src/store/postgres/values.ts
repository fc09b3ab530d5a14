// Values as the server takes them and gives them: as texts.
import { arrayOf, listOf, type ListKind } from './dialect.ts'

/** A column of what a statement gives. */
export interface Column {
  readonly name: string
  readonly dataTypeID: number
}

// Object ids of types (postgresql.org/docs/current/catalog-pg-type.html).
const boolType = 16
const bigintType = 20
const numericType = 1700
const floatType = 701
const integerType = 23
const smallintType = 21

/** A value as SQLite would give it: numbers for numbers and booleans, texts for all else. */
export function parserOf(type: number): (text: string) => unknown {
  if (
    type === bigintType ||
    type === numericType ||
    type === floatType ||
    type === integerType ||
    type === smallintType
  )
    return Number
  if (type === boolType) return (text) => (text === 't' ? 1 : 0)
  return (text) => text
}

/** A row as it is read; all of a statement have their columns in one order. */
export function readRow(columns: readonly Column[], fields: readonly (string | null)[]): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (let place = 0; place < columns.length; place++) {
    const { name, dataTypeID } = columns[place] as Column
    const field = fields[place] ?? null
    row[name] = field === null ? null : parserOf(dataTypeID)(field)
  }
  return row
}

/** A value as it is bound; bytes stay bytes. */
export function boundOf(value: unknown, kind: ListKind | undefined): string | Buffer | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return kind === undefined ? value : arrayOf(value, kind)
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return Array.isArray(value) ? listOf(value) : String(value)
}
