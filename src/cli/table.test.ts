import { describe, expect, it } from 'vitest'
import { plain } from './paint.ts'
import { drawTable, type Column } from './table.ts'

interface Row {
  readonly id: string
  readonly name: string
  readonly took: string
}

const rows: readonly Row[] = [
  { id: 'a1', name: 'send-email', took: '5ms' },
  { id: 'b2', name: 'order', took: '1m 30s' },
]

const columns: readonly Column<Row>[] = [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'NAME', cell: ({ name }) => name, least: 4 },
  { title: 'TOOK', cell: ({ took }) => took, align: 'right' },
]

describe('table', () => {
  it('aligns its columns', () => {
    expect(drawTable(rows, columns, { columns: 80, paint: plain })).toEqual([
      'ID  NAME          TOOK',
      'a1  send-email     5ms',
      'b2  order       1m 30s',
    ])
  })

  it('leaves no blanks where the last cells are empty', () => {
    const lines = drawTable([{ id: 'a1', name: 'order', took: '' }], columns, { columns: 80, paint: plain })
    expect(lines).toEqual(['ID  NAME   TOOK', 'a1  order'])
  })

  it('takes missing room from the columns that can spare it', () => {
    expect(drawTable(rows, columns, { columns: 18, paint: plain })).toEqual([
      'ID  NAME      TOOK',
      'a1  send-…     5ms',
      'b2  order   1m 30s',
    ])
  })

  it('is undefined when it cannot fit', () => {
    expect(drawTable(rows, columns, { columns: 15, paint: plain })).toBeUndefined()
    expect(drawTable(rows, columns, { columns: 16, paint: plain })).toHaveLength(3)
  })
})
