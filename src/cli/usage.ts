// The error for a command that was typed wrongly.
import { toMs } from '../lib/duration.ts'
import { TroupeError, type ErrorDetails } from '../lib/errors.ts'
import { nearestNames } from '../lib/nearest.ts'

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
    const unit = /^\d+(\.\d+)?$/.test(text)
      ? `"${text}" is not a duration: give its unit, as in ${text}s or ${text}ms`
      : undefined
    throw usage(`${flag} ${unit ?? (error instanceof Error ? error.message : String(error))}`)
  }
}

export interface UnknownWorker {
  readonly name: string
  readonly known: readonly string[]
  /** Where was looked. */
  readonly origins: readonly string[]
}

export function unknownWorker({ name, known, origins }: UnknownWorker): TroupeError {
  const nearest = nearestNames(name, known)
  const guess = nearest.length === 0 ? '' : ` Did you mean ${nearest.map((each) => `'${each}'`).join(' or ')}?`
  const looked = `Looked in ${origins.join(' and ')}`
  const more = known.length > mostNames ? `, and ${known.length - mostNames} more` : ''
  const names = known.slice(0, mostNames).join(', ')
  return new TroupeError(
    'worker_not_registered',
    `There is no worker or workflow '${name}'.${guess}\n\n${looked} and found: ${names}${more}`,
    {
      details: { name },
    },
  )
}
