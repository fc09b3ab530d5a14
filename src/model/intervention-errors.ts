// What goes wrong when people step in: runs that cannot be forked, steps that a run does not have or that are not resolved, and runs that are not resumed.
import { TroupeError } from '../lib/errors.ts'
import { meantText } from '../lib/nearest.ts'
import { reasonText, type WaitReason } from './reason.ts'
import type { RunOutcome, RunState } from './run.ts'

// More than a person reads.
const mostPaths = 12

/** Of a run that lives in one process only. */
export function forkRefused(runId: string): TroupeError {
  return new TroupeError(
    'fork_refused',
    `Run ${runId} is not stored (durable: false), so there is nothing to begin another one with: call its worker again.`,
    { details: { runId } },
  )
}

/** `known`: those that the run remembers, has begun or waits for. */
export function stepNotFound(runId: string, path: string, known: readonly string[]): TroupeError {
  const list = listed(known, 'It remembers none: start another run with its input.')
  return new TroupeError(
    'step_not_found',
    `Run ${runId} has no step '${path}'.${meantText(path, known)} ${list} What a loop did in turns that are over, and what was before ctx.continueAsNew, is not remembered.`,
    { details: { runId, path }, retryable: false },
  )
}

/** `open`: those of the run that wait or failed. */
export function stepNotOpen(runId: string, path: string, open: readonly string[]): TroupeError {
  const list = listed(open, 'It has none.')
  return new TroupeError(
    'step_not_found',
    `Run ${runId} has no step '${path}' that waits or failed.${meantText(path, open)} ${list} One that is executed for the first time is not known yet: resolve it by force (force: true, or --force on the command line).`,
    { details: { runId, path }, retryable: false },
  )
}

/** Why a step cannot be resolved. */
export type ResolveRefusal =
  | 'recorded'
  | 'completed'
  | 'undoing'
  | RunOutcome
  | 'not_stored'
  | { readonly waits: string }

export function resolveRefused(runId: string, path: string, why: ResolveRefusal): TroupeError {
  const text = typeof why === 'string' ? refusals[why] : `it waits for ${awaited[why.waits] ?? 'something else'}`
  return new TroupeError('resolve_refused', `Step '${path}' of run ${runId} is not resolved: ${text}.`, {
    details: { runId, path, why: typeof why === 'string' ? why : why.waits },
    retryable: false,
  })
}

const refusals: Readonly<Record<Extract<ResolveRefusal, string>, string>> = {
  recorded: 'it has its result already. To go another way from there, fork the run from the step after it',
  completed: 'what was told with its token is its result, and the run is about to take that in',
  undoing: 'the run undoes what it did, so only steps that undo are open',
  succeeded: 'the run has succeeded. Fork it from a step to do that anew',
  failed: 'the run has failed and is taken up by somebody else: look at it once more',
  cancelled: 'the run was cancelled and is taken up by somebody else: look at it once more',
  not_stored: 'the run is not stored (durable: false)',
}

const awaited: Readonly<Record<string, string>> = {
  sleep: 'its time, and goes on by itself',
  message: 'a message: tell it with troupe.tell(runId, name, payload)',
  run: 'the end of a run that it started: cancel or resolve that one',
  ask: 'being asked',
  diverged: 'code that fits',
}

/** `why`: how it was closed, or that nothing was ever open. */
export function investigationRefused(runId: string, why: string): TroupeError {
  const text =
    why === 'missing'
      ? "nobody has to look at it: say state 'pending' first"
      : `it was closed as ${why} before: say state 'pending' to open it again`
  return new TroupeError('investigation_refused', `What is said of run ${runId} is not closed: ${text}.`, {
    details: { runId, why },
    retryable: false,
  })
}

/** `reason`: what it waits for. */
export function resumeRefused(
  runId: string,
  state: RunState | 'not_stored',
  reason: WaitReason | undefined,
): TroupeError {
  const text = reason === undefined ? notAside[state] : `waits for ${reasonText(reason)}, and goes on by itself then`
  return new TroupeError('resume_refused', `Run ${runId} was not set aside: it ${text}.`, {
    details: { runId, state, ...(reason !== undefined && { reason: reason.kind }) },
    retryable: false,
  })
}

const triedAgain = 'What failed or was cancelled is tried again with retry'
const notAside: Readonly<Record<RunState | 'not_stored', string>> = {
  ready: 'is ready to run',
  scheduled: 'starts by itself later',
  running: 'is running',
  parked: 'goes on by itself later',
  succeeded: 'has succeeded',
  failed: `has failed. ${triedAgain}`,
  cancelled: `was cancelled. ${triedAgain}`,
  not_stored: 'is not stored (durable: false)',
}

function listed(known: readonly string[], none: string): string {
  if (known.length === 0) return none
  const more = known.length - mostPaths
  const paths = known.slice(0, mostPaths).map((path) => `'${path}'`)
  return `It has ${paths.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`
}
