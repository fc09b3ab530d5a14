// What goes wrong when people step in: where a run cannot be forked, and steps that it does not have.
import { TroupeError } from '../lib/errors.ts'
import { nearestNames } from '../lib/nearest.ts'

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
  const nearest = nearestNames(path, known).map((each) => `'${each}'`)
  const guess = nearest.length === 0 ? '' : ` Did you mean ${nearest.join(' or ')}?`
  return new TroupeError(
    'step_not_found',
    `Run ${runId} has no step '${path}'.${guess} ${listed(known)} What a loop did in turns that are over, and what was before ctx.continueAsNew, is not remembered.`,
    { details: { runId, path }, retryable: false },
  )
}

function listed(known: readonly string[]): string {
  if (known.length === 0) return 'It remembers none: call its definition again with its input.'
  const more = known.length - mostPaths
  const paths = known.slice(0, mostPaths).map((path) => `'${path}'`)
  return `It has ${paths.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`
}
