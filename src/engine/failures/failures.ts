// What people are told of attempts and runs that fail.
import { formatMs } from '../../lib/duration.ts'
import type { Log } from '../../lib/log.ts'
import type { GivenUpRun } from '../../store/repairs.ts'
import { clip } from '../../lib/text.ts'
import type { AnyDefinition } from '../definition/definition.ts'

export interface AttemptNews {
  /** `step 'charge'`. */
  readonly what: string
  readonly attempt: number
  readonly attempts: number
  readonly error: Error
  readonly delayMs: number
}

/** What people are told of an attempt that failed and is followed by another. */
export function againText({ what, attempt, attempts, error, delayMs }: AttemptNews): string {
  return `${what} failed (attempt ${attempt} of ${attempts}): ${reasonOf(error)}; again in ${formatMs(delayMs)}`
}

/** A run that has failed for good. */
export interface Failure {
  readonly id: string
  readonly definition: AnyDefinition
  readonly attempt: number
  readonly error: Error
}

/** For a run whose result nobody in this process waits for: nobody else would say it. */
export function tellOfFailure(log: Log, { id, definition, attempt, error }: Failure): void {
  const text = `${nameOf(definition)} failed: ${reasonOf(error)}; nobody here waits for its result`
  log.error({ run: id, attempt, err: error }, text)
}

/** For a run that was performed by processes that died. The definition is unknown where nobody could perform it. */
export function tellOfGivenUp(
  log: Log,
  { id, name, attempt, deliveries }: GivenUpRun,
  { definition, error }: { readonly definition: AnyDefinition | undefined; readonly error: Error },
): void {
  const what = definition === undefined ? `'${name}'` : nameOf(definition)
  const fields = { run: id, worker: name, attempt, deliveries, err: error }
  log.error(fields, `${what} failed: ${reasonOf(error)}; nobody here waits for its result`)
}

export const expiredText = 'a run failed before it was performed, as its time was up; nobody here waits for its result'

/** `worker 'send-email'`. */
export function nameOf({ name, runsOn, noun = runsOn === 'workflow' ? 'workflow' : 'worker' }: AnyDefinition): string {
  return `${noun} '${name}'`
}

function reasonOf(error: Error): string {
  const [first = ''] = error.message.trim().split('\n')
  return first === '' ? error.name : clip(first, longestReason)
}

const longestReason = 300
