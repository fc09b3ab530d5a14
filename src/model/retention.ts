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

/** Milliseconds; null for ever. */
export type Retention = Readonly<Record<RunOutcome | 'logs', number | null>>

const dayMs = 86_400_000

export const defaultRetention: Retention = {
  succeeded: 3 * dayMs,
  failed: 30 * dayMs,
  cancelled: 30 * dayMs,
  logs: 7 * dayMs,
}

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
  const given = retentionParts.flatMap((part) => {
    const kept = options[part]
    return kept === undefined ? [] : [[part, msOf(kept)] as const]
  })
  return Object.fromEntries(given)
}

function msOf(kept: KeptFor): number | null {
  return kept === 'forever' ? null : toMs(kept)
}
