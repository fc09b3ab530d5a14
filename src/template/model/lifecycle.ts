// How long the runs of a template may be in which state, as it says it, and what that means for them.
import { toMs, type Duration } from '../../lib/duration.ts'
import type { LifecycleRules } from '../../model/lifecycle.ts'
import type { Lifecycle } from './template.ts'

/** In YAML, JSON and TypeScript alike. */
export interface LifecycleForm {
  readonly maxDuration?: Duration
  readonly maxWaitingForDependencies?: Duration
  readonly maxWaitingForRetry?: Duration
  readonly maxStepsInProcess?: Duration
  readonly stalenessAction?: Lifecycle['stalenessAction']
  readonly autoFailOnTimeout?: boolean
  readonly autoDlqOnTimeout?: boolean
}

/** Throws `option_invalid` for what is no duration. */
export function lifecycleOf(form: LifecycleForm): Lifecycle {
  const ms = (key: keyof LifecycleForm): number | undefined =>
    form[key] === undefined ? undefined : toMs(form[key] as Duration, key)
  return {
    maxDurationMs: ms('maxDuration'),
    maxWaitingForDependenciesMs: ms('maxWaitingForDependencies'),
    maxWaitingForRetryMs: ms('maxWaitingForRetry'),
    maxStepsInProcessMs: ms('maxStepsInProcess'),
    stalenessAction: form.stalenessAction ?? 'dlq',
    autoFailOnTimeout: form.autoFailOnTimeout ?? false,
    autoDlqOnTimeout: form.autoDlqOnTimeout ?? false,
  }
}

/** What becomes of a run that is stale: `dlq` lets somebody look at it, `error` fails it, `none` only tells. */
export function lifecycleRules(lifecycle: Lifecycle): LifecycleRules {
  const { stalenessAction, autoFailOnTimeout, autoDlqOnTimeout } = lifecycle
  const fails = stalenessAction === 'error' || autoFailOnTimeout
  return { ...lifecycle, fails, isInvestigated: fails || stalenessAction === 'dlq' || autoDlqOnTimeout }
}
