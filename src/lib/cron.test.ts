import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cronFault, CronTimes } from './cron.ts'

const minuteMs = 60_000
const dayMs = 86_400_000

function timesOf(expression: string, zone: string, from: string, count: number): string[] {
  const times = new CronTimes(expression, zone)
  const found: string[] = []
  let at: number | undefined = Date.parse(from)
  while (found.length < count && (at = times.next(at)) !== undefined)
    found.push(new Date(at).toISOString().slice(0, 16))
  return found
}

// The oracle knows neither croner nor our zones: it looks at the clock of the zone, minute after minute.
const zones = [
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'Asia/Kathmandu',
  'America/New_York',
  'Europe/Berlin',
  'America/St_Johns',
  'Africa/Cairo',
  'America/Santiago',
  'Pacific/Chatham',
  'Asia/Beirut',
]

interface Moment {
  readonly at: number
  readonly wall: number
}

class Clocks {
  readonly #format: Intl.DateTimeFormat

  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
  }

  wall(at: number): number {
    return Date.parse(`${this.#format.format(at).replace(' ', 'T')}Z`)
  }

  /** Three days around every day of 2024 to 2032 on which the clock is changed; some quiet days for a zone where it never is. */
  windows(): Moment[][] {
    const offset = (at: number): number => this.wall(at) - at
    const days = Array.from({ length: 9 * 365 }, (_, day) => Date.UTC(2024, 0, 1) + day * dayMs)
    const changes = days.filter((day) => offset(day) !== offset(day + dayMs))
    const chosen = changes.length > 0 ? changes : [days[100] ?? 0, days[2_000] ?? 0]
    return chosen.map((day) => this.#minutes(day - dayMs, day + 2 * dayMs))
  }

  #minutes(from: number, to: number): Moment[] {
    const moments: Moment[] = []
    for (let at = from; at < to; at += minuteMs) moments.push({ at, wall: this.wall(at) })
    return moments
  }
}

const windows = new Map(zones.map((zone) => [zone, new Clocks(zone).windows()]))

interface Fields {
  readonly minutes: readonly number[] | undefined
  readonly hours: readonly number[] | undefined
  readonly weekdays: readonly number[] | undefined
}

function matches({ minutes, hours, weekdays }: Fields, wall: number): boolean {
  const date = new Date(wall)
  if (minutes?.includes(date.getUTCMinutes()) === false) return false
  return hours?.includes(date.getUTCHours()) !== false && weekdays?.includes(date.getUTCDay()) !== false
}

/** Every minute the clock shows for the first time counts, those that it jumped over at the next it shows; with every hour, whatever it shows. */
function expectedTimes(fields: Fields, window: readonly Moment[]): number[] {
  const found: number[] = []
  let latest = (window[0]?.wall ?? 0) - minuteMs
  for (const { at, wall } of window) {
    let isDue = fields.hours === undefined && matches(fields, wall)
    for (let minute = latest + minuteMs; fields.hours !== undefined && minute <= wall; minute += minuteMs) {
      isDue ||= matches(fields, minute)
    }
    latest = Math.max(latest, wall)
    if (isDue) found.push(at)
  }
  return found
}

const written = (values: readonly number[] | undefined): string => values?.join(',') ?? '*'
const some = (most: number, length: number) =>
  fc.uniqueArray(fc.integer({ min: 0, max: most }), { minLength: 1, maxLength: length })
const rules = fc.record({
  minutes: fc.option(some(59, 6), { nil: undefined }),
  hours: fc.option(some(4, 3), { nil: undefined }),
  weekdays: fc.option(some(6, 4), { nil: undefined }),
})

describe.each(zones)('in %s', (zone) => {
  const known = windows.get(zone) ?? []

  it('gives the times that the clock of the zone shows, around every change from 2024 to 2032', () => {
    const agrees = (fields: Fields, window: readonly Moment[]): void => {
      const from = (window[0]?.at ?? 0) - 1
      const to = window.at(-1)?.at ?? 0
      const times = new CronTimes(
        `${written(fields.minutes)} ${written(fields.hours)} * * ${written(fields.weekdays)}`,
        zone,
      )
      const found: number[] = []
      for (let at = times.next(from); at !== undefined && at <= to; at = times.next(at)) found.push(at)
      expect(found).toEqual(expectedTimes(fields, window))
    }
    fc.assert(fc.property(rules, fc.constantFrom(...known), agrees), { numRuns: 60, seed: 7 })
    for (const window of known) agrees({ minutes: [15, 30, 45], hours: [0, 1, 2, 3], weekdays: undefined }, window)
  }, 120_000)

  it('finds the next time from any instant, also from within a change', () => {
    const [minutes, hours] = [
      [5, 35],
      [1, 2],
    ]
    for (const window of known.slice(0, 4)) {
      const expected = expectedTimes({ minutes, hours, weekdays: undefined }, window)
      const times = new CronTimes('5,35 1,2 * * *', zone)
      for (const { at } of window.filter((_, place) => place % 7 === 0)) {
        const next = expected.find((time) => time > at)
        if (next !== undefined) expect([at, times.next(at)]).toEqual([at, next])
      }
    }
  })
})

describe('an expression', () => {
  it.each([
    [
      'a tick in a gap comes once, when clocks go on',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-03-28T12:00Z',
      ['2026-03-29T01:00', '2026-03-30T00:30'],
    ],
    [
      'a tick in a gap comes with the one that stands there',
      '0,30 2,3 * * *',
      'Europe/Berlin',
      '2026-03-29T00:00Z',
      ['2026-03-29T01:00', '2026-03-29T01:30', '2026-03-30T00:00'],
    ],
    [
      'a time that is shown twice counts the first time',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-10-24T12:00Z',
      ['2026-10-25T00:30', '2026-10-26T01:30'],
    ],
    [
      'every hour means time that passes',
      '30 * * * *',
      'Europe/Berlin',
      '2026-10-24T23:45Z',
      ['2026-10-25T00:30', '2026-10-25T01:30', '2026-10-25T02:30'],
    ],
    [
      'every hour has no tick in a gap',
      '30 * * * *',
      'Europe/Berlin',
      '2026-03-29T00:00Z',
      ['2026-03-29T00:30', '2026-03-29T01:30'],
    ],
    [
      'half an hour is left out too',
      '15 2 * * *',
      'Australia/Lord_Howe',
      '2026-10-03T00:00Z',
      ['2026-10-03T15:30', '2026-10-04T15:15'],
    ],
    [
      'midnight can be left out',
      '@daily',
      'Africa/Cairo',
      '2026-04-23T00:00Z',
      ['2026-04-23T22:00', '2026-04-24T21:00'],
    ],
    [
      'a leap day comes when it comes',
      '0 12 29 2 *',
      'UTC',
      '2026-01-01T00:00Z',
      ['2028-02-29T12:00', '2032-02-29T12:00'],
    ],
    ['a year can pass', '0 0 0 1 1 * 2027', 'UTC', '2026-01-01T00:00Z', ['2027-01-01T00:00']],
  ])('%s: %s in %s', (_, expression, zone, from, expected) => {
    expect(timesOf(expression, zone, from, expected.length + (expression.endsWith('2027') ? 1 : 0))).toEqual(expected)
  })

  it('goes by seconds when it has six fields', () => {
    const times = new CronTimes('*/20 59 23 31 12 *', 'Asia/Kathmandu')
    const first = times.next(Date.parse('2026-12-31T18:13:30Z')) ?? 0
    expect([first, times.next(first)].map((at) => new Date(at ?? 0).toISOString())).toEqual([
      '2026-12-31T18:14:00.000Z',
      '2026-12-31T18:14:20.000Z',
    ])
  })

  it.each([
    ['61 * * * *', 'minute'],
    ['* 24 * * *', 'hour'],
    ['0 0 0 * *', 'day'],
    ['0 0 * FOO *', 'month'],
    ['0 0 * * 9', 'weekday'],
    ['*/0 0 0 * * *', 'second'],
    ['0 0 0 1 1 * x', 'year'],
    ['', undefined],
    ['* * * *', undefined],
    ['2026-01-01T00:00:00', undefined],
    ['@often', undefined],
  ])('%j is refused by name of its field', (expression, field) => {
    expect(cronFault(expression)).toMatchObject({ field, why: expect.stringMatching(/./) as string })
  })

  it.each(['* * * * *', '0 0 L * *', '0 12 * * MON-FRI', '0 0 15W * *', '@hourly', '0 0 * * FRI#2'])(
    '%j is taken',
    (expression) => {
      expect(cronFault(expression)).toBeUndefined()
    },
  )
})
