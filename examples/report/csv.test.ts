import { expect, it } from 'vitest'
import { CsvReader } from './csv.ts'

const text = 'a,b\r\n"x, y","say ""hi""",\n"two\nlines",""""\r\n,,\nlast,"🎉"'
const rows = [
  ['a', 'b'],
  ['x, y', 'say "hi"', ''],
  ['two\nlines', '"'],
  ['', '', ''],
  ['last', '🎉'],
]

it('reads fields, quoted fields and rows, wherever the text is cut', () => {
  for (let cut = 0; cut <= text.length; cut++) {
    const csv = new CsvReader()
    expect([...csv.read(text.slice(0, cut)), ...csv.read(text.slice(cut)), ...csv.end()]).toEqual(rows)
  }
})

it('gives no row for what follows the last line break, and none for nothing', () => {
  const csv = new CsvReader()
  expect(csv.end()).toEqual([])
  expect(csv.read('a\n')).toEqual([['a']])
  expect(csv.end()).toEqual([])
})

it('keeps a quote in the middle of a field, and says when one is never closed', () => {
  const csv = new CsvReader()
  expect(csv.read('6" nails,5\n')).toEqual([['6" nails', '5']])
  csv.read('"open')
  expect(() => csv.end()).toThrow('The file ends inside of a quoted field')
})
