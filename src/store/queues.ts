// What holds runs up: queues that are paused, and limiters.
import type { Bounds, LimitUse } from '../model/limiter.ts'
import type { AuditRecord } from './operating.ts'
import type { LimiterView, QueueView } from './views.ts'

export interface QueueStore {
  /** Lets no run of a queue start, on any node, until it is resumed; false when it was paused already. What changes something is kept with `audit`. */
  pauseQueue(queueId: number, audit?: AuditRecord): Promise<boolean>
  unpauseQueue(queueId: number, audit?: AuditRecord): Promise<boolean>
  listQueues(): Promise<QueueView[]>
  listQueueNames(): Promise<string[]>

  /** Gives a limiter its number and keeps the bounds that the code declares. */
  internLimiter(name: string, bounds: Bounds): Promise<number>
  /** Sets bounds that win over those of the code on all nodes, until null takes them back. */
  setLiveBounds(name: string, bounds: Partial<Bounds> | null, audit?: AuditRecord): Promise<void>
  listLimiters(): Promise<LimiterView[]>
  /** Whether somebody waits in line for a limiter of which this run has a slot. */
  isHoldingUp(runId: number): Promise<boolean>
  /** Who is no run passes limiters, or waits in line for a node, whose end takes it out again. One thing at a time for each node. */
  passLimiters(nodeId: number, passing: Passing): Promise<Passed>
}

/** What those want of limiters who are no runs, all of one node. */
export interface Passing {
  readonly enters: readonly Entering[]
  /** How many of its tickets are known to have their slots. */
  readonly holds: number
  /** Tickets of those that want nothing any more, whether they passed or not. */
  readonly leaves: readonly number[]
  /** Who waits lets older runs of its line go first. */
  readonly yields: boolean
}

/** Somebody new. */
export interface Entering {
  /** It passes all of them at once. */
  readonly uses: readonly LimitUse[]
  /** Null for what is not part of a run. */
  readonly step: LimitedStep | null
}

/** A step of a run that this node performs. What it has or waits for goes with the end of the activation, like that of the run. */
export interface LimitedStep {
  readonly runId: number
  readonly path: string
  /** The one it was parked with: it is as old as before, and may have its slots since its run was claimed. */
  readonly ticket?: number | undefined
}

export interface Passed {
  /** The node was declared dead: nobody has passed, and nobody waits. */
  readonly isNodeLost: boolean
  /** One for each that entered, in order. */
  readonly tickets: readonly number[]
  /** Those of all tickets of this node that have their slots. */
  readonly passed: readonly number[]
  /** Somebody let a run go first. */
  readonly isYielding: boolean
  /** As in a commit. */
  readonly opensAt: number | null
}
