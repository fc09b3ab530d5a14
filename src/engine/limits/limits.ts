// The bounds of limiters as programs give them, checked; and what a run has to pass.
import { toMs, type Duration } from '../../lib/duration.ts'
import { isTroupeError, toError } from '../../lib/errors.ts'
import { limiterKeyThrew, optionInvalid } from '../../model/errors.ts'
import type { Bounds, LimitUse, Rate } from '../../model/limiter.ts'
import { checkKey, checkObject, checkOptions, checkWhole } from '../checks.ts'
import type { AnyDefinition } from '../definition/definition.ts'

/** What a limiter allows; what is left out, or null, is not bounded. */
export interface LimitBounds {
  /** So many at once; with keys, for each key. */
  readonly concurrency?: number | null
  /** So many at once, all keys together, which take turns. */
  readonly total?: number | null
  /** So many in a time; with keys, for each key. */
  readonly rate?: RateOptions | null
}

export interface RateOptions {
  /** So many in the time `per`, evenly spaced. */
  readonly limit: number
  readonly per: Duration
  /** How many may come together after a pause, in place of evenly spaced ones: as many as 100 ms bring unless told, at least 1. */
  readonly burst?: number
}

/** A limiter as the engine sees it. */
export interface LimiterRule {
  readonly name: string
  readonly bounds: Bounds
  readonly keyOf: ((input: never) => string) | undefined
}

export const knownOfBounds = ['concurrency', 'total', 'rate']

// Commits are some milliseconds apart: without this a fast rate would never be reached.
const burstMs = 100

/** Throws `option_invalid`. */
export function checkedBounds(what: string, { concurrency, total, rate }: LimitBounds): Partial<Bounds> {
  for (const [name, bound] of Object.entries({ concurrency, total })) {
    if (bound !== undefined && bound !== null) checkWhole(`${name} of ${what}`, bound, 1)
  }
  return {
    ...(concurrency !== undefined && { concurrency }),
    ...(total !== undefined && { total }),
    ...(rate !== undefined && { rate: rate === null ? null : checkedRate(`rate of ${what}`, rate) }),
  }
}

/** What a run of a definition has to pass, each limiter once; null for nothing. */
export function limitsFor(
  { name, settings }: AnyDefinition,
  input: unknown,
  idOf: (limiter: string) => number,
): readonly LimitUse[] | null {
  if (settings.limits.length === 0) return null
  return settings.limits.map((rule) => ({
    limiterId: idOf(rule.name),
    key: keyAt(rule, input, `the input of '${name}'`),
  }))
}

/** The key a limiter has for an input, which is called `whose` in errors. */
export function keyAt({ name, keyOf }: LimiterRule, input: unknown, whose: string): string {
  if (keyOf === undefined) return ''
  const key: unknown = made(name, whose, () => keyOf(input as never))
  checkKey(`What key of limiter '${name}' made of ${whose}`, key)
  return key as string
}

function made(limiter: string, whose: string, make: () => unknown): unknown {
  try {
    return make()
  } catch (error) {
    // What the library says itself names the thing already.
    throw isTroupeError(error) ? error : limiterKeyThrew(limiter, whose, toError(error))
  }
}

function checkedRate(what: string, rate: RateOptions): Rate {
  checkObject(what, rate, '{ limit, per, burst }')
  checkOptions(what, rate, ['limit', 'per', 'burst'])
  checkWhole(`limit of ${what}`, rate.limit, 1)
  const perMs = toMs(rate.per, 'rate.per')
  if (perMs === 0) throw optionInvalid(`per of ${what}`, rate.per, 'a time longer than 0')
  const { limit, burst = Math.max(1, Math.floor((limit * burstMs) / perMs)) } = rate
  checkWhole(`burst of ${what}`, burst, 1)
  return { limit, perMs, burst }
}
