// How long the runs of a template in TypeScript may be in which state.
import { checkChoice, checkOptions } from '../../engine/checks.ts'
import { toMs, type Duration } from '../../lib/duration.ts'
import type { Lifecycle } from '../model/template.ts'

export interface LifecycleOptions {
  /** From the start of a run, or from when a person tried it again. */
  readonly maxDuration?: Duration
  /** Parked, since something was last recorded of it. */
  readonly maxWaitingForDependencies?: Duration
  /** The same while it rests between two attempts of something. */
  readonly maxWaitingForRetry?: Duration
  /** The same while it is executed. */
  readonly maxStepsInProcess?: Duration
  /** Of a run that is stale: `dlq` (unless told) lets somebody look at it, `error` fails it, `none` only tells of it. */
  readonly stalenessAction?: Lifecycle['stalenessAction']
}

/** Throws `option_invalid`. */
export function lifecycleOf(options: LifecycleOptions): Lifecycle {
  const { maxDuration, maxWaitingForDependencies, maxWaitingForRetry, maxStepsInProcess, stalenessAction } = options
  const times = { maxDuration, maxWaitingForDependencies, maxWaitingForRetry, maxStepsInProcess }
  checkOptions('lifecycle', options, [...Object.keys(times), 'stalenessAction'])
  if (stalenessAction !== undefined) checkChoice('stalenessAction', stalenessAction, ['dlq', 'error', 'none'])
  const ms = (what: keyof typeof times): number | undefined =>
    times[what] === undefined ? undefined : toMs(times[what], what)
  return {
    maxDurationMs: ms('maxDuration'),
    maxWaitingForDependenciesMs: ms('maxWaitingForDependencies'),
    maxWaitingForRetryMs: ms('maxWaitingForRetry'),
    maxStepsInProcessMs: ms('maxStepsInProcess'),
    stalenessAction: stalenessAction ?? 'dlq',
    autoFailOnTimeout: false,
    autoDlqOnTimeout: false,
  }
}
