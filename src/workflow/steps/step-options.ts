// The options of a step, checked where it is asked for.
import { checkOptions } from '../../engine/checks.ts'
import type { AnyDefinition } from '../../engine/definition/definition.ts'
import { toMs, type Duration } from '../../lib/duration.ts'
import { retryPolicy, type RetryOptions } from '../../model/retry.ts'
import type { Limiter } from '../../worker/limiter.ts'
import { checkedRetry } from '../../worker/options.ts'
import { limitsOfStep } from './step-limits.ts'
import type { StepSpec } from './step.ts'
import { undoRules, type Undo } from '../undoing/undo-options.ts'

export interface StepOptions<Input = unknown, Output = unknown> {
  /** 3 attempts unless told. */
  readonly retry?: RetryOptions
  /** How long one attempt may take; it begins when its limiters have let it pass. */
  readonly timeout?: Duration
  /**
   * What each attempt has to pass: all of these at once, or the step waits, in line with all that waits for them. It has its slots while its function runs.
   * A limiter with keys makes one of the input of the run, unless `key` gives it.
   */
  readonly limits?: readonly (Limiter<Input> | StepLimit)[]
  /**
   * Undoes what the step did when the run fails for good or is cancelled: all steps that succeeded are undone, the last one first, each once,
   * before the run ends. It is given the output of the step, as it is stored.
   */
  readonly undo?: Undo<Output>
}

/** A limiter, and whom its bounds are for at this step. */
export interface StepLimit {
  readonly limiter: Limiter<never>
  readonly key: string
}

type StepRules = Pick<StepSpec, 'retry' | 'timeoutMs' | 'limits' | 'undo'>

const stepAttempts = 3

export const defaultRules: StepRules = {
  retry: retryPolicy(undefined, stepAttempts),
  timeoutMs: undefined,
  limits: [],
  undo: undefined,
}

/** Whose limiters have a key by its input, and may not name those that the whole run has to pass. */
interface Run {
  readonly definition: AnyDefinition
  readonly input: unknown
}

/** Throws `option_invalid`, `definition_invalid`. */
export function stepRules<Input>(name: string, options: StepOptions<Input, never>, run: Run): StepRules {
  const what = `step '${name}'`
  checkOptions(what, options, ['retry', 'timeout', 'limits', 'undo'])
  const { retry, timeout, limits, undo } = options
  return {
    retry: retry === undefined ? defaultRules.retry : checkedRetry(what, retry, stepAttempts),
    timeoutMs: timeout === undefined ? undefined : toMs(timeout, `timeout of ${what}`),
    limits: limits === undefined ? [] : limitsOfStep(what, limits, run),
    undo: undo === undefined ? undefined : undoRules(what, undo),
  }
}
