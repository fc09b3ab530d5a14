// A step that is a run of its own: of a workflow or a template, in another queue, remembered for others, or in a thread.
import type { AnyDefinition } from '../../engine/definition/definition.ts'
import type { UnkeyedOptions } from '../../engine/verbs/call.ts'
import { keyWithInput } from '../../engine/verbs/start-options.ts'
import type { StartDraft } from '../../engine/starts.ts'
import { joinPath } from '../../model/path.ts'
import { recursionTooDeep } from '../../model/family-errors.ts'
import { mostDepth } from '../../workflow/child-run.ts'
import type { Steps } from '../../workflow/steps/steps.ts'
import type { UndoRules } from '../../workflow/undoing/undo-options.ts'
import type { Scope, TemplateStep } from '../model/template.ts'

/** Whether a step is more than a step of its run can be; of what is not known here others have the code. */
export function isRunOfItsOwn(step: TemplateStep, worker: AnyDefinition | undefined): boolean {
  if (worker === undefined || step.queue !== undefined || step.cache !== undefined || step.priority !== undefined)
    return true
  const { runsOn, handler, isThreaded, settings } = worker
  const { cache, keyOf, queue, heartbeatMs } = settings
  if (runsOn === 'workflow' || handler === undefined || isThreaded === true) return true
  return [cache, keyOf, queue, heartbeatMs].some((rule) => rule !== undefined)
}

export interface ChildStep {
  readonly step: TemplateStep
  readonly target: AnyDefinition | string
  readonly path: string
  readonly scope: Scope
  readonly input: () => unknown
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

async function draftOf(steps: Steps, { step, target, scope, input }: ChildStep): Promise<StartDraft> {
  const { claimed, around } = steps.activation
  const { queue, priority, timeout, retry, cache } = step
  const { correlationId } = claimed
  const given = { queue, priority, retry, timeout: timeout.totalMs, expires: timeout.queueMs }
  const options = Object.fromEntries(
    Object.entries({ ...given, correlationId: correlationId ?? undefined }).filter(([, value]) => value !== undefined),
  )
  const draft = await around.draft(target, input(), options as UnkeyedOptions)
  if (cache === undefined) return draft
  const { record } = draft
  const key = cache.key === undefined ? '' : String(cache.key.make(scope))
  return {
    ...draft,
    record: { ...record, key: keyWithInput({ rule: 'cache', ttlMs: cache.ttlMs, key }, record.input) },
  }
}

function nameOf(target: AnyDefinition | string): string {
  return typeof target === 'string' ? target : target.name
}
