// What this process counts and no store keeps.
import { Histogram } from '../lib/histogram.ts'
import { StepCounts } from './step-counts.ts'

export class Counts {
  /** Messages that were dropped because their run had sent more than are kept. */
  droppedMessages = 0
  /** Attempts of runs that ended here, by their end. */
  succeeded = 0
  failed = 0
  cancelled = 0
  /** Those of the failed that are followed by another. */
  retried = 0
  /** How long all of them took. */
  totalMs = 0
  /** Claims that were asked for, and the runs they brought. */
  claims = 0
  claimed = 0
  /** Batches that could not be written. */
  failedCommits = 0
  /** Runs that became ready because what they wait for came. */
  woken = 0
  /** Runs that were taken over from dead nodes, or found unheld. */
  rescued = 0
  /** Runs that failed, because too many processes died while they ran them. */
  givenUp = 0
  /** Runs that nobody would have woken, and slots that nobody would have freed. */
  repaired = 0
  /** What was kept long enough and deleted, and how often this node came to the end of it. */
  readonly deleted = { runs: 0, audit: 0, events: 0 }
  retentionPasses = 0
  readonly commitMs = new Histogram()
  readonly batchWrites = new Histogram()
  /** From the start of a run to its first attempt. */
  readonly waitMs = new Histogram()

  /** Attempts of steps. */
  readonly steps = new StepCounts()

  get executed(): number {
    return this.succeeded + this.failed + this.cancelled
  }

  attemptEnded(end: string | undefined, elapsedMs: number): void {
    if (end === 'succeeded') this.succeeded += 1
    else if (end === 'failed') this.failed += 1
    else if (end === 'cancelled') this.cancelled += 1
    else if (end === 'retried') {
      this.failed += 1
      this.retried += 1
    } else return
    this.totalMs += Math.max(0, elapsedMs)
  }
}
