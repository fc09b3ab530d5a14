// What goes wrong while a template is performed.
import { TroupeError } from '../lib/errors.ts'
import { faultText, type Misfit } from './load/misfit-text.ts'

/** A decision chose what it may not: it fails for good. */
export function decisionInvalid(step: string, why: string): TroupeError {
  return new TroupeError('decision_invalid', `Decision '${step}' failed: ${why}`, {
    details: { step },
    retryable: false,
  })
}

/** What a batchable step gave says no batches: it fails for good. */
export function batchInvalid(step: string, why: string): TroupeError {
  return new TroupeError('batch_invalid', `Step '${step}' failed: ${why}`, { details: { step }, retryable: false })
}

/** Some batches failed, after all have ended. */
export function batchesFailed(step: string, failed: readonly string[], first: Error): TroupeError {
  const names = failed.slice(0, 5).join(', ') + (failed.length > 5 ? ', …' : '')
  const message = `${failed.length} of the batches of step '${step}' failed (${names}): ${first.message}`
  return new TroupeError('batches_failed', message, {
    cause: first,
    details: { step, failed: failed.length },
    retryable: false,
  })
}

/** A step names a limiter that nobody declares. */
export function limiterUnknown(name: string): TroupeError {
  const message = `Limiter '${name}' is not known here: declare it under 'limits' of the template, or in the limits of a worker.`
  return new TroupeError('definition_invalid', message, { details: { limiter: name }, retryable: false })
}

/** What a step was to publish does not fit the schema of its event. */
export function payloadMisfit(event: string, misfit: Pick<Misfit, 'place' | 'message'>): TroupeError {
  return new TroupeError(
    'validation_failed',
    `The payload of event '${event}' does not fit its schema: ${faultText(misfit)}.`,
    {
      details: { event },
      retryable: false,
    },
  )
}
