import { describe, expect, test } from 'vitest'
import { parseRows, splitRows } from './rows.ts'

const toBytes = (text: string) => new TextEncoder().encode(text)

function read(text: string, rowsEach: number): unknown[][] {
  const bytes = toBytes(text)
  return splitRows(bytes, rowsEach).map(({ start, end }) => parseRows(bytes.subarray(start, end)))
}

describe('splitRows', () => {
  test('cuts an array into ranges that parse alone and lose no row', () => {
    const rows = [{ a: 1 }, { a: [2, { b: 3 }] }, null, 4, 'five', [6]]

    const ranges = read(` [\n${rows.map((row) => JSON.stringify(row)).join(' ,\n')} ]\n`, 4)

    expect(ranges).toEqual([rows.slice(0, 4).map((value) => ({ value })), rows.slice(4).map((value) => ({ value }))])
  })

  test('says where in the file each range begins', () => {
    const ranges = splitRows(toBytes('[10,20,30,40,50]'), 2)

    expect(ranges).toEqual([
      { firstRow: 0, rows: 2, start: 1, end: 6 },
      { firstRow: 2, rows: 2, start: 7, end: 12 },
      { firstRow: 4, rows: 1, start: 13, end: 15 },
    ])
  })

  test('is not misled by brackets, commas and quotes inside text', () => {
    const rows = ['},{', '\\', '"', ']', 'é,–']

    const ranges = read(JSON.stringify(rows), 1)

    expect(ranges).toEqual(rows.map((value) => [{ value }]))
  })

  test('finds no rows in an empty array', () => {
    expect(splitRows(toBytes(' [ ] '), 10)).toEqual([])
  })

  test.each([
    ['{"a":1}', 'it does not begin with [ and end with ]'],
    ['', 'it does not begin with [ and end with ]'],
    ['[{"a":1]', 'a bracket is never closed'],
    ['[1}]', 'a bracket closes at byte 1 that was never opened'],
    ['["a]', 'the text that begins at byte 0 is never closed'],
  ])('refuses %s', (text, reason) => {
    expect(() => splitRows(toBytes(text), 10)).toThrow(reason)
  })
})

test('a row that is not JSON is handed back as text, and its neighbours as values', () => {
  expect(parseRows(toBytes('{"a":1}, {a:2} ,,{"a":3}'))).toEqual([
    { value: { a: 1 } },
    { brokenText: '{a:2}' },
    { brokenText: '' },
    { value: { a: 3 } },
  ])
})
