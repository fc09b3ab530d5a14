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

export function limitsOf(
  {
    step,
    worker,
    scope,
    input,
  }: { step: TemplateStep; worker: AnyDefinition | undefined; scope: Scope; input: () => unknown },
  find: FindLimiter,
): readonly KeyedLimiter[] {
  const own = step.limits.map(({ name, key }): KeyedLimiter => {
    const rule = find(name)
    return { rule, key: key === undefined ? '' : String(key.make(scope)) }
  })
  const ofWorker = (worker?.settings.limits ?? []).map((rule): KeyedLimiter => ({
    rule,
    key: keyAt(rule, rule.keyOf && input(), `the input of step '${step.name}'`),
  }))
  return [...new Map([...ofWorker, ...own].map((limit) => [limit.rule.name, limit])).values()]
}
