// How long what has ended is kept.
import { toMs, type Duration } from '../lib/duration.ts'
import type { RunOutcome } from './run.ts'

/** A time since the end of a run, as in `7d`, or `forever`. */
export type KeptFor = Duration

/** How long runs are kept after their end, by how they ended; one time means all of them. */
export type RetentionOptions =
  | KeptFor
  | {
      readonly succeeded?: KeptFor
      readonly failed?: KeptFor
      readonly cancelled?: KeptFor
      /** The log lines of a run that is kept longer. */
      readonly logs?: KeptFor
    }

/** As for definitions, and how long the rest is kept. */
export type StoreRetentionOptions =
  | KeptFor
  | (Exclude<RetentionOptions, KeptFor> & {
      /** What people did, as `troupe.audit` tells it: 90 days unless told. */
      readonly audit?: KeptFor
      /** Events that have not reached those they are for, from their publication on: 30 days unless told. */
      readonly events?: KeptFor
    })

/** Milliseconds; null for ever. */
export type Retention = Readonly<Record<RunOutcome | 'logs', number | null>>

const dayMs = 86_400_000

export const defaultRetention: Retention = {
  succeeded: 3 * dayMs,
  failed: 30 * dayMs,
  cancelled: 30 * dayMs,
  logs: 7 * dayMs,
}

/** Of what is no part of a run. */
export type RetentionBeside = Readonly<Record<'audit' | 'events', number | null>>

export const defaultRetentionBeside: RetentionBeside = { audit: 90 * dayMs, events: 30 * dayMs }

export const retentionPartsBeside = ['audit', 'events'] as const satisfies readonly (keyof RetentionBeside)[]

export const retentionParts = [
  'succeeded',
  'failed',
  'cancelled',
  'logs',
] as const satisfies readonly (keyof Retention)[]

/** What an option says, and nothing of what it leaves open. Throws for what is no duration. */
export function retentionOf(options: RetentionOptions): Partial<Retention> {
  if (typeof options !== 'object') {
    const kept = msOf(options)
    return { succeeded: kept, failed: kept, cancelled: kept }
  }
  return given(options, retentionParts)
}

/** What an option says of what is no part of a run. Throws for what is no duration. */
export function retentionBesideOf(options: StoreRetentionOptions): Partial<RetentionBeside> {
  return typeof options === 'object' ? given(options, retentionPartsBeside) : {}
}

function given<Part extends string>(
  options: { readonly [part in Part]?: KeptFor },
  parts: readonly Part[],
): { readonly [part in Part]?: number | null } {
  const told = parts.flatMap((part) => {
    const kept = options[part]
    return kept === undefined ? [] : [[part, msOf(kept)] as const]
  })
  return Object.fromEntries(told) as { readonly [part in Part]?: number | null }
}

function msOf(kept: KeptFor): number | null {
  return kept === 'forever' ? null : toMs(kept)
}
