// Until when a step waits that waits for a time.
import { timeOf } from '../../engine/checks.ts'
import { toMs, type Duration } from '../../lib/duration.ts'
import { instantOf } from '../../lib/instant.ts'
import { optionInvalid } from '../../model/errors.ts'
import type { Made, Scope, Work } from '../model/template.ts'

/** Milliseconds since 1970. Throws `option_invalid` for what is no time. */
export function timeIn({ forMs, until }: Extract<Work, { kind: 'time' }>, scope: Scope, now: number): number {
  if (until !== undefined) return timeUntil(until.make(scope))
  const wait = typeof forMs === 'object' ? (forMs satisfies Made).make(scope) : (forMs ?? 0)
  return now + toMs(wait as Duration, 'The time that a step waits')
}

function timeUntil(value: unknown): number {
  const at = typeof value === 'string' ? instantOf(value) : value
  if (at === undefined) throw optionInvalid('The time until which a step waits', value, 'a time as in ISO 8601')
  return timeOf('The time until which a step waits', at as number)
}
