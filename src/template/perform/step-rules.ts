// The rules of a step: its own, else those of its worker, else those of steps.
import type { AnyDefinition } from '../../engine/definition/definition.ts'
import type { KeyedLimiter } from '../../engine/limits/slots.ts'
import { keyAt, type LimiterRule } from '../../engine/limits/limits.ts'
import type { RetryPolicy } from '../../model/retry.ts'
import { checkedRetry } from '../../worker/options.ts'
import { defaultRules } from '../../workflow/steps/step-options.ts'
import type { Scope, TemplateStep } from '../model/template.ts'

/** Finds a limiter by name: one that the template declares, or that a definition here names. */
export type FindLimiter = (name: string) => LimiterRule

export function retryOf(step: TemplateStep, worker: AnyDefinition | undefined): RetryPolicy {
  const { retry, timeout } = step
  const own = retry === undefined ? worker?.settings.toldRetry : checkedRetry(`step '${step.name}'`, retry, 3)
  const policy = own ?? defaultRules.retry
  return timeout.totalMs === undefined
    ? policy
    : { ...policy, maxElapsedMs: Math.min(policy.maxElapsedMs, timeout.totalMs) }
}

export interface LimitedStep {
  readonly step: TemplateStep
  readonly worker: AnyDefinition | undefined
  readonly scope: Scope
  readonly input: () => unknown
}

/** What a step has to pass: that of its worker, but for what it says itself. */
export function limitsOf({ step, worker, scope, input }: LimitedStep, find: FindLimiter): readonly KeyedLimiter[] {
  const ofWorker = (worker?.settings.limits ?? []).map((rule): KeyedLimiter => ({
    rule,
    key: keyAt(rule, rule.keyOf && input(), `the input of step '${step.name}'`),
  }))
  const own = ownLimits(step, scope, find)
  return [...new Map([...ofWorker, ...own].map((limit) => [limit.rule.name, limit])).values()]
}

/** What a step itself says it has to pass. */
export function ownLimits({ limits }: TemplateStep, scope: Scope, find: FindLimiter): readonly KeyedLimiter[] {
  return limits.map(({ name, key }) => ({ rule: find(name), key: key === undefined ? '' : String(key.make(scope)) }))
}
