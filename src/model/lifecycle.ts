// How long a run may be in which state, and since when one has been in it for too long.
import type { LiveState } from './run.ts'

/** The times that a definition gives its runs; what is left out is not bounded. */
export interface LifecycleLimits {
  readonly maxDurationMs: number | undefined
  readonly maxWaitingForDependenciesMs: number | undefined
  readonly maxWaitingForRetryMs: number | undefined
  readonly maxStepsInProcessMs: number | undefined
}

export interface LifecycleRules extends LifecycleLimits {
  /** A run that is stale fails. */
  readonly fails: boolean
  /** Somebody has to look at it. */
  readonly isInvestigated: boolean
}

/** What tells whether a run is stale. Times are milliseconds since 1970. */
export interface Signs {
  readonly state: LiveState
  readonly isRetrying: boolean
  readonly isWorking: boolean
  readonly hasBegun: boolean
  readonly openedAt: number
  /** When anything of it was last recorded. */
  readonly heardAt: number
}

export interface Staleness {
  /** The limit, as templates call it. */
  readonly limit: string
  readonly maxMs: number
  readonly since: number
}

/** The shortest of all times: before that is over since a time nothing is stale by it. */
export function shortestOf({
  maxDurationMs = Infinity,
  maxWaitingForDependenciesMs = Infinity,
  maxWaitingForRetryMs = Infinity,
  maxStepsInProcessMs = Infinity,
}: LifecycleLimits): number {
  return Math.min(maxDurationMs, maxWaitingForDependenciesMs, maxWaitingForRetryMs, maxStepsInProcessMs)
}

/** Undefined for a run that is not stale; what has taken too long in all is that before anything else. */
export function stalenessOf(limits: LifecycleLimits, signs: Signs, now: number): Staleness | undefined {
  const { openedAt, heardAt } = signs
  const all = { limit: 'maxDuration', maxMs: limits.maxDurationMs, since: openedAt }
  const own = limitOf(limits, signs)
  return [all, ...(own === undefined ? [] : [{ ...own, since: heardAt }])].find(
    (each): each is Staleness => each.maxMs !== undefined && now - each.since >= each.maxMs,
  )
}

interface Limit {
  readonly limit: string
  readonly maxMs: number | undefined
}

/** What waits for an actor is not stale by that. */
function limitOf(limits: LifecycleLimits, { state, isRetrying, isWorking, hasBegun }: Signs): Limit | undefined {
  if (!hasBegun || state === 'ready') return undefined
  if (state === 'running' || (state === 'parked' && isWorking))
    return { limit: 'maxStepsInProcess', maxMs: limits.maxStepsInProcessMs }
  if (isRetrying) return { limit: 'maxWaitingForRetry', maxMs: limits.maxWaitingForRetryMs }
  return { limit: 'maxWaitingForDependencies', maxMs: limits.maxWaitingForDependenciesMs }
}
