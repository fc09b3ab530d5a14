// The journal of a stored run as a value for a file, from which a test may replay it against the code of today.

import { toErrorRecord } from '../lib/error-record.ts'
import { encode } from '../lib/codec.ts'
import type { StepKind } from '../store/store.ts'
import type { Troupe } from '../troupe.ts'

/** What a run has done, as far as it is remembered. Values are encoded as they are in a store, so that nothing of them is lost; it can be written as JSON. */
export interface JournalFixture {
  readonly format: 1
  /** Of the workflow. */
  readonly name: string
  readonly version: string
  readonly input: string
  /** In the order in which they were recorded. */
  readonly steps: readonly FixtureStep[]
  readonly failedAttempts: readonly FixtureAttempt[]
}

export interface FixtureStep {
  readonly path: string
  readonly kind: StepKind
  readonly isError: boolean
  /** Encoded, or the record of an error as JSON. */
  readonly value: string
}

/** A failed attempt of a step that has not ended. */
export interface FixtureAttempt {
  readonly path: string
  readonly attempt: number
  readonly error: string
}

/**
 * Takes the journal of a run, to be kept as a fixture: `writeFile('order.json', JSON.stringify(await journalOf(troupe, id)))`.
 *
 * Throws: an error when there is no such run; `store_corrupt` when a part of it is damaged.
 */
export async function journalOf(
  troupe: Pick<Troupe, 'get' | 'steps' | 'attempts'>,
  runId: string,
): Promise<JournalFixture> {
  const run = await troupe.get(runId)
  if (run === undefined) throw new Error(`There is no run ${runId}, so there is no journal of it.`)
  const steps = await troupe.steps(runId)
  const ended = new Set(steps.map(({ path }) => path))
  const attempts = await troupe.attempts(runId)
  const open = attempts.filter(
    ({ path, generation }) => generation === run.generation && path !== '' && !ended.has(path),
  )
  return {
    format: 1,
    name: run.name,
    version: run.version,
    input: encode(run.input),
    steps: steps.map(({ path, kind, value, error }) => ({
      path,
      kind,
      isError: error !== undefined,
      value: error === undefined ? encode(value) : recordOf(error),
    })),
    failedAttempts: open.map(({ path, attempt, error }) => ({ path, attempt, error: recordOf(error) })),
  }
}

function recordOf(error: Error): string {
  return JSON.stringify(toErrorRecord(error))
}
