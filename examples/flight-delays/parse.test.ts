import { describe, expect, test } from 'vitest'
import { parseRow, type Dataset } from './parse.ts'

const timed = { delay: 12, distance: 405, time: 23.983333333333334 }
const routed = { date: '2001/02/28 22:59', delay: -5, distance: 30, origin: 'DTW', destination: 'LAS' }

describe('parseRow', () => {
  test('reads a flight with its time of day', () => {
    expect(parseRow('flights-200k', { value: timed })).toEqual({ flight: { delay: 12, distance: 405, hour: 23 } })
  })

  test('reads a flight with its date and airports', () => {
    expect(parseRow('flights-20k', { value: routed })).toEqual({
      flight: { delay: -5, distance: 30, hour: 22, origin: 'DTW', day: '2001/02/28' },
    })
  })

  test.each<[Dataset, unknown, string]>([
    ['flights-200k', null, 'row is not an object'],
    ['flights-200k', [12, 405, 3], 'row is not an object'],
    ['flights-200k', { ...timed, delay: null }, 'delay is not a whole number of minutes'],
    ['flights-200k', { ...timed, delay: '12' }, 'delay is not a whole number of minutes'],
    ['flights-200k', { ...timed, delay: 1.5 }, 'delay is not a whole number of minutes'],
    ['flights-200k', { ...timed, delay: 2881 }, 'delay is beyond two days'],
    ['flights-200k', { ...timed, distance: 0 }, 'distance is not between 1 and 10,000 miles'],
    ['flights-200k', { ...timed, distance: 'far' }, 'distance is not between 1 and 10,000 miles'],
    ['flights-200k', { ...timed, time: 24 }, 'time is not an hour from 0 up to 24'],
    ['flights-200k', { ...timed, time: -0.1 }, 'time is not an hour from 0 up to 24'],
    ['flights-200k', { delay: 1, distance: 1 }, 'time is not an hour from 0 up to 24'],
    ['flights-20k', { ...routed, date: '2001/02/29 10:00' }, 'date is not a real YYYY/MM/DD HH:MM'],
    ['flights-20k', { ...routed, date: '2001/01/01 24:00' }, 'date is not a real YYYY/MM/DD HH:MM'],
    ['flights-20k', { ...routed, date: '2001-01-01 10:00' }, 'date is not a real YYYY/MM/DD HH:MM'],
    ['flights-20k', { ...routed, origin: 'dtw' }, 'origin is not an airport code'],
    ['flights-20k', { ...routed, destination: '' }, 'destination is not an airport code'],
  ])('refuses a row of %s: %j', (dataset, value, reason) => {
    expect(parseRow(dataset, { value })).toEqual({ reason })
  })

  test('knows leap years', () => {
    const leap = parseRow('flights-20k', { value: { ...routed, date: '2004/02/29 10:00' } })
    const century = parseRow('flights-20k', { value: { ...routed, date: '1900/02/29 10:00' } })

    expect(leap).toMatchObject({ flight: { day: '2004/02/29' } })
    expect(century).toEqual({ reason: 'date is not a real YYYY/MM/DD HH:MM' })
  })

  test('refuses a row that was not JSON', () => {
    expect(parseRow('flights-20k', { brokenText: '{' })).toEqual({ reason: 'row is not JSON' })
  })
})
