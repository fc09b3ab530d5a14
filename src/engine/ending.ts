// How a run ended, as it is kept.
import { decodeError } from '../lib/codec.ts'
import { toErrorRecord } from '../lib/error-record.ts'
import { reviveError } from '../model/error-classes.ts'
import { runDeadlinePassed, runExpired } from '../model/errors.ts'
import { fingerprintOf } from '../model/fingerprint.ts'
import type { RunOutcome } from '../model/run.ts'
import type { Claimed, SettleRecord } from '../store/store.ts'
import type { DecidedEnd } from '../store/undoing.ts'
import type { TokenUse } from '../store/waits.ts'
import type { AnyDefinition } from './definition.ts'
import { errorText, withErrors } from './error-text.ts'

export interface EndOfRun {
  readonly outcome: RunOutcome
  /** Encoded output, or an error record as JSON. */
  readonly value: string
  readonly error: Error | undefined
  /** What could not be undone: somebody has to see to that, also of a run that was cancelled. */
  readonly undoErrors?: readonly Error[] | undefined
  readonly definition: AnyDefinition
  readonly token: TokenUse | undefined
}

/** What a run ends with, once it is known what failed while that was cleaned up after. */
export interface Finish {
  readonly error?: Error
  readonly value: (alsoFailed: readonly Error[]) => string
  readonly undoErrors?: readonly Error[]
}

export function endWith(error: Error): Finish {
  return { error, value: (alsoFailed) => errorText(error, alsoFailed) }
}

/** As was decided before it undid what it did, but for what these errors tell. */
export function endAfterUndo({ value: decided }: DecidedEnd, undoErrors: readonly Error[]): Finish {
  const value = (alsoFailed: readonly Error[]): string => withErrors(decided, [...undoErrors, ...alsoFailed])
  return { error: decodeError(decided, reviveError), value, undoErrors }
}

export function settleRecord(claimed: Claimed, end: EndOfRun): SettleRecord {
  const { outcome, value, error, definition, token } = end
  const { held, attempt, waits } = claimed
  const described = error && toErrorRecord(error)
  const code = described?.code ?? null
  const hasFailed = outcome === 'failed'
  const dead = hasFailed ? described : end.undoErrors?.[0] && toErrorRecord(end.undoErrors[0])
  const fingerprint = dead === undefined ? null : fingerprintOf(definition.name, dead)
  const isTold = hasFailed && definition.settings.onFailure !== undefined
  return { held, outcome, code, fingerprint, attempt, value, hadWaits: waits.length > 0, isTold, token }
}

/** All its time is up. */
export function deadlineError({ deadlineAt, createdAt }: Claimed, name: string): Error {
  return runDeadlinePassed(name, (deadlineAt ?? createdAt) - createdAt)
}

/** Set when nobody began it in time. */
export function expiredError({ expiresAt, createdAt }: Claimed, name: string, now: number): Error | undefined {
  return expiresAt === null || now < expiresAt ? undefined : runExpired(name, expiresAt - createdAt)
}
