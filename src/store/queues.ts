// What holds runs up: queues that are paused, and limiters.
import type { Bounds } from '../model/limiter.ts'
import type { LimiterView, QueueView } from './views.ts'

export interface QueueStore {
  /** Lets no run of a queue start, on any node, until it is resumed; false when it was paused already. */
  pauseQueue(queueId: number): Promise<boolean>
  resumeQueue(queueId: number): Promise<boolean>
  listQueues(): Promise<QueueView[]>

  /** Gives a limiter its number and keeps the bounds that the code declares. */
  internLimiter(name: string, bounds: Bounds): Promise<number>
  /** Sets bounds that win over those of the code on all nodes, until null takes them back. */
  setLiveBounds(name: string, bounds: Partial<Bounds> | null): Promise<void>
  listLimiters(): Promise<LimiterView[]>
  /** Frees slots whose holder is gone and puts back into line who stands in none; counts them. In a healthy store there are none. */
  repairLimiters(): Promise<number>
}
