import { expect, test } from 'vitest'
import { parseAirports, parseCsv } from './airports.ts'
import { findInputs, readSource } from './files.ts'

const header = 'iata,name,city,state,country,latitude,longitude'

test('reads quoted fields with commas, doubled quotes and line ends', () => {
  expect(parseCsv('a,"b, c","d ""e""","f\ng"\r\n,,"",\n')).toEqual([
    ['a', 'b, c', 'd "e"', 'f\ng'],
    ['', '', '', ''],
  ])
})

test('refuses a quote that is never closed', () => {
  expect(() => parseCsv('a,b\n"c,d\n')).toThrow('Record 2 has a quote that is not closed')
})

test('keeps rows without a position apart from the airports', () => {
  const rows = [
    'BTR,"Baton Rouge Metropolitan, Ryan",Baton Rouge,LA,USA,30.5,-91.1',
    'XXX,Nowhere,None,LA,USA,,12',
    'YYY,short',
  ]

  const airports = parseAirports([header, ...rows].join('\n'))

  expect([...airports.byCode.values()]).toEqual([
    {
      iata: 'BTR',
      name: 'Baton Rouge Metropolitan, Ryan',
      city: 'Baton Rouge',
      state: 'LA',
      latitude: 30.5,
      longitude: -91.1,
    },
  ])
  expect(airports.bad).toEqual([
    { line: 3, text: 'XXX,Nowhere,None,LA,USA,,12' },
    { line: 4, text: 'YYY,short' },
  ])
})

test('refuses a file with other columns', () => {
  expect(() => parseAirports('code,name\nBTR,Baton Rouge')).toThrow(
    'airports.csv has the columns code,name, expected iata,',
  )
})

test('reads all of the real file', async () => {
  const { airports: source } = await findInputs()

  const airports = parseAirports(await readSource(source))

  expect([airports.rows, airports.byCode.size, airports.bad.length]).toEqual([3376, 3376, 0])
  expect(airports.byCode.get('DBN')?.name).toBe('W. H. "Bud" Barron')
})
