// What goes wrong while a run undoes what it did.
import { TroupeError } from '../lib/errors.ts'

/** `why` ends the sentence after a colon. */
export function undoFailed(path: string, why: string, cause?: Error): TroupeError {
  return new TroupeError(
    'undo_failed',
    `What step '${path}' did could not be undone: ${why}. See to it by hand; the other steps were undone all the same.`,
    { details: { path }, retryable: false, ...(cause !== undefined && { cause }) },
  )
}
