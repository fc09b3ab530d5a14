// Values as the server takes them and gives them: as texts.
import { arrayOf, listOf, type ListKind } from './dialect.ts'

/** What the server tells of a column. */
export interface Field {
  readonly name: string
  readonly dataTypeID: number
}

/** The columns of what a statement gives, ready to read its rows. */
export interface Columns {
  readonly names: readonly string[]
  /** Undefined for texts. */
  readonly parsers: readonly (((text: string) => unknown) | undefined)[]
  /** Measured: a row that is made from one with all of its fields costs half of one that gets them one by one. */
  readonly empty: Readonly<Record<string, unknown>>
}

// Object ids of types (postgresql.org/docs/current/catalog-pg-type.html).
const boolType = 16
const bigintType = 20
const numericType = 1700
const floatType = 701
const integerType = 23
const smallintType = 21

const numbers: readonly number[] = [bigintType, numericType, floatType, integerType, smallintType]

const same = (text: string): string => text

/** A value as SQLite would give it: numbers for numbers and booleans, texts for all else. */
export function parserOf(type: number): (text: string) => unknown {
  return parserUnlessText(type) ?? same
}

function parserUnlessText(type: number): ((text: string) => unknown) | undefined {
  if (numbers.includes(type)) return Number
  return type === boolType ? (text) => (text === 't' ? 1 : 0) : undefined
}

export function columnsOf(fields: readonly Field[]): Columns {
  return {
    names: fields.map(({ name }) => name),
    parsers: fields.map(({ dataTypeID }) => parserUnlessText(dataTypeID)),
    empty: Object.fromEntries(fields.map(({ name }) => [name, null])),
  }
}

export function readRow({ names, parsers, empty }: Columns, fields: readonly (string | null)[]): object {
  const row: Record<string, unknown> = { ...empty }
  for (let place = 0; place < names.length; place++) {
    const field = fields[place] ?? null
    if (field === null) continue
    const parse = parsers[place]
    row[names[place] as string] = parse === undefined ? field : parse(field)
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
