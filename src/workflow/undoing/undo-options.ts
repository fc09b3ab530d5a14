// How what a step did is undone, checked where the step is asked for.
import { checkFunction, checkOptions } from '../../engine/checks.ts'
import { toMs, type Duration } from '../../lib/duration.ts'
import { optionInvalid } from '../../model/errors.ts'
import { retryPolicy, type RetryOptions, type RetryPolicy } from '../../model/retry.ts'
import { checkedRetry } from '../../worker/options.ts'
import type { StepContext } from '../steps/step.ts'

/** What a function that undoes a step is given beside the output of that: a step's context; it has no tokens. */
export type UndoContext = Omit<StepContext, 'later'>

export type UndoFunction<Output> = (output: Output, step: UndoContext) => unknown

export interface UndoOptions<Output> {
  readonly run: UndoFunction<Output>
  /** 3 attempts unless told. */
  readonly retry?: RetryOptions
  /** How long one attempt may take; a minute unless told, so that no run undoes for ever. */
  readonly timeout?: Duration
}

/** Undoes what a step did, given its output; what it returns means nothing. */
export type Undo<Output> = UndoFunction<Output> | UndoOptions<Output>

export interface UndoRules {
  readonly run: UndoFunction<unknown>
  readonly retry: RetryPolicy
  readonly timeoutMs: number
}

const undoAttempts = 3
const undoTimeoutMs = 60_000
const defaultRetry = retryPolicy(undefined, undoAttempts)

/** Throws `option_invalid`. */
export function undoRules(what: string, undo: unknown): UndoRules {
  if (typeof undo === 'function')
    return { run: undo as UndoRules['run'], retry: defaultRetry, timeoutMs: undoTimeoutMs }
  const whose = `undo of ${what}`
  if (typeof undo !== 'object' || undo === null)
    throw optionInvalid(whose, undo, 'a function, or { run, retry, timeout }')
  checkOptions(whose, undo, ['run', 'retry', 'timeout'])
  const { run, retry, timeout } = undo as UndoOptions<unknown>
  checkFunction(`run of ${whose}`, run)
  return {
    run,
    retry: retry === undefined ? defaultRetry : checkedRetry(whose, retry, undoAttempts),
    timeoutMs: timeout === undefined ? undoTimeoutMs : toMs(timeout, `timeout of ${whose}`),
  }
}
