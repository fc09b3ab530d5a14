// How a run ended, as it is kept.
import { toErrorRecord } from '../lib/error-record.ts'
import { runDeadlinePassed, runExpired } from '../model/errors.ts'
import { fingerprintOf } from '../model/fingerprint.ts'
import type { RunOutcome } from '../model/run.ts'
import type { Claimed, SettleRecord } from '../store/store.ts'
import type { TokenUse } from '../store/waits.ts'
import type { AnyDefinition } from './definition.ts'

export interface EndOfRun {
  readonly outcome: RunOutcome
  /** Encoded output, or an error record as JSON. */
  readonly value: string
  readonly error: Error | undefined
  readonly definition: AnyDefinition
  readonly token: TokenUse | undefined
}

export function settleRecord(claimed: Claimed, { outcome, value, error, definition, token }: EndOfRun): SettleRecord {
  const { held, attempt, waits } = claimed
  const described = error && toErrorRecord(error)
  const code = described?.code ?? null
  const hasFailed = outcome === 'failed'
  const fingerprint = hasFailed && described !== undefined ? fingerprintOf(definition.name, described) : null
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
