import { describe, expect, it } from 'vitest'
import { checkRule, type ScheduleRule } from './schedule-rule.ts'

const refused: readonly (readonly [unknown, string])[] = [
  [undefined, 'The options object of schedule'],
  [{}, 'The rule of schedule'],
  [{ cron: '* * * * *', every: '1m' }, 'The rule of schedule'],
  [{ crom: '* * * * *' }, "Option 'crom' of schedule 'a' is not known: expected one of cron,"],
  [{ cron: 5 }, "cron of schedule 'a' is 5"],
  [{ cron: '61 * * * *' }, "The minute in cron of schedule 'a' is"],
  [{ cron: '0 24 * * *' }, "The hour in cron of schedule 'a' is"],
  [{ cron: '* * *' }, 'it has 3 fields'],
  [{ cron: '0 0 31 2 *' }, 'no day fits it'],
  [{ cron: '* * * * *', zone: 'Europe/Berln' }, 'perhaps Europe/Berlin'],
  [{ cron: '* * * * *', zone: '+02:00' }, 'zone of schedule'],
  [{ every: '1m', zone: 'UTC' }, 'zone of schedule \'a\' is "UTC": expected it beside cron only'],
  [{ at: 5, from: 5 }, "from of schedule 'a' is 5: expected it beside every only"],
  [{ every: '50ms' }, 'every of schedule \'a\' is "50ms": expected a duration from 100ms'],
  [{ every: 'soon' }, 'every of schedule \'a\' is "soon"'],
  [{ at: new Date(Number.NaN) }, 'at of schedule \'a\' is "Invalid Date"'],
  [{ every: '1m', overlap: 'skipp' }, 'overlap of schedule \'a\' is "skipp": expected one of skip,'],
  [{ every: '1m', catchUp: 0 }, "catchUp of schedule 'a' is 0: expected a duration from 10s"],
  [{ every: '1m', jitter: '2m' }, 'jitter of schedule \'a\' is "2m": expected at most what every says'],
  [{ every: '1m', paused: 'yes' }, 'paused of schedule \'a\' is "yes": expected true or false'],
]

describe('a rule', () => {
  it.each(refused)('%j is refused by name of its field', (rule, message) => {
    expect(() => checkRule('a', rule as ScheduleRule)).toThrow(message)
  })

  it('gets its defaults', () => {
    const rest = { overlap: 'skip', catchUp: 86_400_000, jitter: 0, paused: false }
    expect(checkRule('a', { every: '1h' })).toEqual({ every: 3_600_000, from: 0, ...rest })
    expect(checkRule('a', { cron: ' @daily ' })).toEqual({ cron: '@daily', zone: 'UTC', ...rest })
    expect(checkRule('a', { at: new Date(7), jitter: '1s' })).toEqual({ at: 7, ...rest, jitter: 1_000 })
  })
})
