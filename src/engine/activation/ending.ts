// How a run ended, as it is kept.
import { decodeError } from '../../lib/codec.ts'
import { toErrorRecord } from '../../lib/error-record.ts'
import { reviveError } from '../../model/error-classes.ts'
import { fingerprintOf } from '../../model/fingerprint.ts'
import type { RunOutcome } from '../../model/run.ts'
import type { SettleRecord } from '../../store/store.ts'
import type { DecidedEnd } from '../../store/undoing.ts'
import type { TokenUse } from '../../store/waits.ts'
import type { Activation } from './activation.ts'
import type { AnyDefinition } from '../definition/definition.ts'
import { errorText, withErrors } from '../error-text.ts'

/** What a run ends with, before it is known what failed while that was cleaned up after. */
export interface Finish {
  /** Encoded output, or an error record as JSON; undefined for one that is made of `error` then. */
  readonly value: string | undefined
  readonly error: Error | undefined
  /** What could not be undone: somebody has to see to that, also of a run that was cancelled. */
  readonly undoErrors: readonly Error[]
}

export interface EndOfRun {
  readonly outcome: RunOutcome
  readonly value: string
  readonly finish: Finish
  readonly definition: AnyDefinition
  readonly token: TokenUse | undefined
}

const none: readonly Error[] = []

/** `result` is the encoded output, or why there is none. */
export function finishWith(result: string | Error): Finish {
  if (typeof result === 'string') return { value: result, error: undefined, undoErrors: none }
  return { value: undefined, error: result, undoErrors: none }
}

/** As was decided before it undid what it did, but for what these errors tell. */
export function finishAfterUndo({ value }: DecidedEnd, undoErrors: readonly Error[]): Finish {
  return { value: withErrors(value, undoErrors), error: decodeError(value, reviveError), undoErrors }
}

/** How it is kept, with what failed in the cleaning up; an output stays as it is. */
export function valueOf({ value, error }: Finish, alsoFailed: readonly Error[]): string {
  if (error === undefined) return value ?? ''
  return value === undefined ? errorText(error, alsoFailed) : withErrors(value, alsoFailed)
}

export function settleRecord(
  { claimed, keptWaits }: Pick<Activation, 'claimed' | 'keptWaits'>,
  { outcome, value, finish, definition, token }: EndOfRun,
): SettleRecord {
  const { held, attempt, waits } = claimed
  const [undoError] = finish.undoErrors
  const described = finish.error && toErrorRecord(finish.error)
  const code = described?.code ?? null
  const hasFailed = outcome === 'failed'
  const dead = hasFailed ? described : undoError && toErrorRecord(undoError)
  const fingerprint = dead === undefined ? null : fingerprintOf(definition.name, dead)
  const isTold = hasFailed && definition.settings.onFailure !== undefined
  const hadWaits = waits.length > 0 || keptWaits !== undefined
  return { held, outcome, code, fingerprint, attempt, value, hadWaits, isTold, token }
}

/** How a run came to be no longer this node's: another has it, a step of it was resolved by hand, the lease of this node could not be renewed in time, or a newer version has changed the schema. */
export type Loss = 'taken over' | 'resolved' | 'in doubt' | 'outdated'

export function lossText(how: Loss, hasToken: boolean): string {
  return how === 'taken over' && hasToken ? `${losses[how]}, or finished from outside` : losses[how]
}

const losses: Readonly<Record<Loss, string>> = {
  'taken over': 'a run was taken over by another node',
  resolved:
    'a run was taken away from here, as a step of it was resolved by hand, or as it is stale: what it did here meanwhile is left',
  'in doubt':
    'a run is given up here, as the lease of this node could not be renewed in time: any node may go on with it',
  outdated:
    'a run is given up here, as a newer version has changed the schema of the store: a node of that version goes on with it',
}
