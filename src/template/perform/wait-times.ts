// Until when a step waits that waits for a time.
import { timeOf } from '../../engine/checks.ts'
import { toMs, type Duration } from '../../lib/duration.ts'
import { optionInvalid } from '../../model/errors.ts'
import type { Made, Scope, Work } from '../model/template.ts'

/** Milliseconds since 1970. Throws `option_invalid` for what is no time. */
export function timeIn({ forMs, until }: Extract<Work, { kind: 'time' }>, scope: Scope, now: number): number {
  if (until !== undefined) return instantOf(until.make(scope))
  const wait = typeof forMs === 'object' ? (forMs satisfies Made).make(scope) : (forMs ?? 0)
  return now + toMs(wait as Duration, 'The time that a step waits')
}

function instantOf(value: unknown): number {
  const at = typeof value === 'string' ? new Date(value) : value
  if (at instanceof Date && Number.isNaN(at.getTime()))
    throw optionInvalid(
      'The time until which a step waits',
      value,
      'an ISO 8601 time, a Date, or milliseconds since 1970',
    )
  return timeOf('The time until which a step waits', at as Date | number)
}
