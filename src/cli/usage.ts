// The error for a command that was typed wrongly.
import { toMs } from '../lib/duration.ts'
import { isTroupeError, TroupeError, type ErrorDetails } from '../lib/errors.ts'
import { meantText } from '../lib/nearest.ts'

// More than a person reads.
const mostNames = 12

export function usage(message: string, details: ErrorDetails = {}): TroupeError {
  return new TroupeError('usage', message, { details })
}

/** Refuses a duration that was typed wrongly, before anything is begun. */
export function checkTime(flag: string, text: string): void {
  try {
    toMs(text)
  } catch (error) {
    if (!isTroupeError(error, 'option_invalid')) throw error
    const how = /^\d+(\.\d+)?$/.test(text)
      ? `its unit, as in ${text}s or ${text}ms`
      : 'a number with its unit, such as 250ms, 30s, 5m, 1h30m, 3d or 1w, or PT1H30M'
    throw usage(`${flag} ${JSON.stringify(text)} is not a duration: give ${how}`)
  }
}

/** Refuses what was typed in the place of a verb. */
export function checkVerb(command: string, [typed]: readonly string[], verbs: readonly string[]): void {
  if (typed === undefined) return
  throw usage(`There is no '${typed}' of ${command}.${meantText(typed, verbs)} There is: ${verbs.join(', ')}`)
}

export interface UnknownWorker {
  readonly name: string
  readonly known: readonly string[]
  /** Where was looked. */
  readonly origins: readonly string[]
  /** Files that were left out and why, a line each. */
  readonly skipped: readonly string[]
}

export function unknownWorker({ name, known, origins, skipped }: UnknownWorker): TroupeError {
  const looked = `Looked in ${origins.join(' and ')}`
  const more = known.length > mostNames ? `, and ${known.length - mostNames} more` : ''
  const names = known.slice(0, mostNames).join(', ')
  const leftOut = skipped.length === 0 ? '' : `\n\nLeft out:\n\n${skipped.join('\n')}`
  return new TroupeError(
    'worker_not_registered',
    `There is no worker, workflow or template '${name}'.${meantText(name, known)}\n\n${looked} and found: ${names}${more}${leftOut}`,
    {
      details: { name },
    },
  )
}
