// How long the runs of a template in TypeScript may be in which state.
import { checkChoice, checkOptions } from '../../engine/checks.ts'
import type { Duration } from '../../lib/duration.ts'
import { lifecycleOf } from '../model/lifecycle.ts'
import { stalenessActions } from '../model/model.ts'
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

const keys = [
  'maxDuration',
  'maxWaitingForDependencies',
  'maxWaitingForRetry',
  'maxStepsInProcess',
  'stalenessAction',
] as const satisfies readonly (keyof LifecycleOptions)[]

/** Throws `option_invalid`. */
export function checkedLifecycle(options: LifecycleOptions): Lifecycle {
  checkOptions('lifecycle', options, keys)
  const { stalenessAction } = options
  if (stalenessAction !== undefined) checkChoice('stalenessAction', stalenessAction, stalenessActions)
  return lifecycleOf(options)
}
