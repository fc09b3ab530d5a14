// A step that is a run of its own: of a workflow or a template, in another queue, remembered for others, or in a thread.
import type { Known } from '../../engine/activation/surroundings.ts'
import type { AnyDefinition } from '../../engine/definition/definition.ts'
import type { KeyedLimiter } from '../../engine/limits/slots.ts'
import type { StartDraft } from '../../engine/starts.ts'
import type { UnkeyedOptions } from '../../engine/verbs/call.ts'
import { keyWithInput } from '../../engine/verbs/start-options.ts'
import { recursionTooDeep } from '../../model/family-errors.ts'
import { joinPath } from '../../model/path.ts'
import { withAttemptTimeout, type StoredRetryOptions } from '../../model/retry.ts'
import type { StartRecord } from '../../store/start.ts'
import { mostDepth } from '../../workflow/child-run.ts'
import { defaultRules } from '../../workflow/steps/step-options.ts'
import type { Steps } from '../../workflow/steps/steps.ts'
import type { UndoRules } from '../../workflow/undoing/undo-options.ts'
import type { Scope, TemplateStep } from '../model/template.ts'

/** Whether a step is more than a step of its run can be; of what is not known here others have the code. */
export function isRunOfItsOwn(
  { queue, cache, priority, timeout }: TemplateStep,
  worker: AnyDefinition | undefined,
): boolean {
  if (worker === undefined || [queue, cache, priority, timeout.queueMs].some(isTold)) return true
  const { runsOn, handler, isThreaded, settings } = worker
  if (runsOn === 'workflow' || handler === undefined || isThreaded === true) return true
  return [settings.cache, settings.keyOf, settings.queue, settings.heartbeatMs].some(isTold)
}

function isTold(rule: unknown): boolean {
  return rule !== undefined
}

export interface ChildStep {
  readonly step: TemplateStep
  readonly target: AnyDefinition | string
  readonly path: string
  readonly scope: Scope
  readonly input: () => unknown
  /** What the step has to pass beside its worker. */
  readonly limits: () => readonly KeyedLimiter[]
  readonly undo: UndoRules | undefined
}

/** Starts the run once in the life of this one and gives its output. */
export async function performAsRun(steps: Steps, child: ChildStep): Promise<unknown> {
  const { depth } = steps.activation.claimed
  if (depth >= mostDepth) throw recursionTooDeep(nameOf(child.target), depth)
  const order = { path: child.path, draft: () => draftOf(steps, child), isDetached: false, undo: child.undo }
  const { id, path } = await steps.child(order)
  const never = { at: null, late: () => Promise.resolve(new Error('It has no time limit')) }
  return steps.result(joinPath(path, 'result'), id, () => never)
}

async function draftOf(steps: Steps, child: ChildStep): Promise<StartDraft> {
  const { target, input, step, scope } = child
  const { around, claimed } = steps.activation
  const draft = await around.draft(target, input(), callOptions(child, claimed.correlationId))
  const { record } = draft
  const retry = withAttemptTimeout(record.retry, step.timeout.attemptMs)
  const limits = await limitsOfRun(child.limits(), record.limits, around.known)
  return { ...draft, record: { ...record, retry, limits, key: cacheKey(step, scope, record) } }
}

function callOptions({ step, target }: ChildStep, correlationId: string | null): UnkeyedOptions {
  const { queue, priority, timeout, retry = untold(target) } = step
  const given = { queue, priority, retry, timeout: timeout.totalMs, expires: timeout.queueMs, correlationId }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => (value ?? undefined) !== undefined))
}

/** A worker that says nothing of it is tried as often as any other step. */
function untold(target: AnyDefinition | string): StoredRetryOptions | undefined {
  const isPlain = typeof target === 'object' && target.runsOn === 'task' && target.settings.toldRetry === undefined
  return isPlain ? { attempts: defaultRules.retry.attempts } : undefined
}

async function limitsOfRun(
  own: readonly KeyedLimiter[],
  ofWorker: StartRecord['limits'],
  known: Known,
): Promise<StartRecord['limits']> {
  if (own.length === 0) return ofWorker
  const uses = new Map((ofWorker ?? []).map((use) => [use.limiterId, use]))
  for (const { rule, key } of own) {
    const limiterId = await known.useLimiter(rule)
    uses.set(limiterId, { limiterId, key })
  }
  return [...uses.values()]
}

function cacheKey({ cache }: TemplateStep, scope: Scope, { key, input }: StartRecord): StartRecord['key'] {
  if (cache === undefined) return key
  const made = cache.key === undefined ? '' : String(cache.key.make(scope))
  return keyWithInput({ rule: 'cache', ttlMs: cache.ttlMs, key: made }, input)
}

function nameOf(target: AnyDefinition | string): string {
  return typeof target === 'string' ? target : target.name
}
