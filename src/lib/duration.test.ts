import { describe, expect, it } from 'vitest'
import { formatMs, toMs } from './duration.ts'
import { isTroupeError } from './errors.ts'

describe('toMs', () => {
  it.each([
    [0, 0],
    [250, 250],
    [0.5, 0.5],
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['3d', 259_200_000],
    ['1w', 604_800_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['4.35s', 4350],
    [' 1 h  30 m ', 5_400_000],
    ['0s', 0],
    ['PT1H30M', 5_400_000],
    ['P3D', 259_200_000],
    ['P1W', 604_800_000],
    ['P1DT0.5S', 86_400_500],
  ])('reads %j as %d ms', (duration, ms) => {
    expect(toMs(duration)).toBe(ms)
  })

  it.each([
    '',
    ' ',
    '5',
    'soon',
    '-1s',
    '5 minutes',
    '1h30',
    '30S',
    '1,5s',
    's',
    'P',
    'PT',
    'P1M',
    'P1Y',
    'P1DT',
    `${'9'.repeat(400)}d`,
  ])('refuses the text %j and quotes it', (text) => {
    expect(caught(() => toMs(text)).message).toContain(JSON.stringify(text))
  })

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, null, undefined, {}])('refuses the value %s', (value) => {
    expect(
      isTroupeError(
        caught(() => toMs(value as number)),
        'option_invalid',
      ),
    ).toBe(true)
  })

  it('lists what it would have accepted', () => {
    expect(caught(() => toMs('soon')).message).toBe(
      `"soon" is not a duration: give milliseconds (250), or text such as '250ms', '30s', '5m', '1h30m', '3d', '1w' or 'PT1H30M'.`,
    )
  })

  it('says what it was given for, and how a bare number is given', () => {
    expect(caught(() => toMs('5', "timeout of 'mail'")).message).toMatch(
      /^timeout of 'mail': "5" is not a duration: give milliseconds \(the number 5\), or text such as/,
    )
  })
})

describe('formatMs', () => {
  it.each([
    [0, '0ms'],
    [0.44, '0.4ms'],
    [250.4, '250ms'],
    [999.4, '999ms'],
    [999.7, '1s'],
    [2400, '2.4s'],
    [5000, '5s'],
    [59_940, '59.9s'],
    [59_960, '1m'],
    [90_000, '1m 30s'],
    [3_599_600, '1h'],
    [5_400_000, '1h 30m'],
    [86_399_000, '1d'],
    [273_600_000, '3d 4h'],
    [-1500, '-1.5s'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
  ])('writes %d as %s', (ms, text) => {
    expect(formatMs(ms)).toBe(text)
  })
})

function caught(fn: () => unknown): Error {
  try {
    fn()
  } catch (error) {
    return error as Error
  }
  throw new Error('Nothing was thrown')
}
