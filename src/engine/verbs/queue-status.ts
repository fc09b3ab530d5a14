// Queues and limiters as people and programs see it.
import type { LimiterView, QueueView } from '../../store/views.ts'

/** Times are milliseconds since 1970. */
export interface QueueStatus {
  readonly name: string
  /** Waiting for an actor, or for what `RunStatus.reason` says. */
  readonly ready: number
  readonly running: number
  /** Their process died, or lost touch with the store, and no other has taken them over yet. */
  readonly lost: number
  /** To be started or tried again at a time. */
  readonly scheduled: number
  /** Set aside in the middle of their work. */
  readonly parked: number
  /** When the run was started that has been ready for longest. */
  readonly oldestReadyAt: number | undefined
  readonly pausedAt: number | undefined
  /** How many nodes serve it now. */
  readonly nodes: number
}

/** A limiter; its bounds are null where there are none. */
export type LimiterStatus = LimiterView

export function queueStatus({ oldestReadyAt, pausedAt, ...queue }: QueueView): QueueStatus {
  return { ...queue, oldestReadyAt: oldestReadyAt ?? undefined, pausedAt: pausedAt ?? undefined }
}
