// The errors around runs that start runs and wait for their ends.
import { formatMs } from '../lib/duration.ts'
import { TroupeError } from '../lib/errors.ts'
import { reasonText, type WaitReason } from './reason.ts'

export function recursionTooDeep(name: string, depth: number): TroupeError {
  return new TroupeError(
    'recursion_too_deep',
    `'${name}' was not started: ${depth} runs stand above it, each started by the one before. End the recursion sooner, or use ctx.loop or { detached: true } for what goes on without end.`,
    { details: { name, depth }, retryable: false },
  )
}

interface NamedRun {
  readonly id: string
  readonly name: string
}

/** A run would wait for its own end, at once or by way of others. */
export function circularWait(run: NamedRun, awaited: NamedRun): TroupeError {
  const circle =
    run.id === awaited.id
      ? `The key of a call of '${run.name}' gave run ${run.id} back to itself, whose end would wait for itself`
      : `Run ${run.id} of '${run.name}' waits for run ${awaited.id} of '${awaited.name}', which waits for it: neither would ever end`
  return new TroupeError(
    'circular_wait',
    `${circle}. Give what it calls a key of its own, or start it with { detached: true } and do not wait for its result.`,
    { details: { runId: run.id, name: run.name, awaitedId: awaited.id, awaited: awaited.name }, retryable: false },
  )
}

/** A workflow gave a run that it started no more time; `reason` says why that waits, where it does. */
export function childTimeout(child: NamedRun, timeoutMs: number, reason: WaitReason | undefined): TroupeError {
  const now = reason === undefined ? 'It is under way' : `It waits for ${reasonText(reason)}`
  return new TroupeError(
    'result_timeout',
    `Run ${child.id} of '${child.name}' did not finish within the ${formatMs(timeoutMs)} that its result was waited for. ${now}, and goes on: await its result() again, give that a longer { timeout }, or end it with troupe.cancel.`,
    { details: { runId: child.id, name: child.name, timeoutMs, ...(reason !== undefined && { reason: reason.kind }) } },
  )
}
