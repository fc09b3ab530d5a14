// What became of all runs of a definition, in figures.
import type { EndedRuns } from '../../store/views.ts'

/** Of all runs that ever ended, on all nodes. Times are milliseconds from the first start of a run to its end. */
export interface RunStats {
  /** All that ended, in whatever way. */
  readonly runs: number
  readonly succeeded: number
  /** Failed and timed out. */
  readonly errors: number
  /** Ended with an error, other than that their time was up. */
  readonly failed: number
  readonly timedOut: number
  readonly cancelled: number
  /** Of the one that ended last; undefined with no runs. */
  readonly lastRunMs: number | undefined
  readonly totalRuntimeMs: number
  /** 0 with no runs. */
  readonly averageMs: number
  /** Succeeded ones in 100 runs; 0 with no runs. */
  readonly successRate: number
}

export function runStats(ended: readonly EndedRuns[]): RunStats {
  const count = (counts: (one: EndedRuns) => boolean): number =>
    ended.reduce((sum, one) => (counts(one) ? sum + one.runs : sum), 0)
  const runs = count(() => true)
  const succeeded = count(({ outcome }) => outcome === 'succeeded')
  const errors = count(({ outcome }) => outcome === 'failed')
  const timedOut = count(({ outcome, isTimeout }) => outcome === 'failed' && isTimeout)
  const totalRuntimeMs = ended.reduce((sum, { totalMs }) => sum + totalMs, 0)
  return {
    runs,
    succeeded,
    errors,
    failed: errors - timedOut,
    timedOut,
    cancelled: count(({ outcome }) => outcome === 'cancelled'),
    lastRunMs: lastOf(ended)?.lastMs,
    totalRuntimeMs,
    averageMs: runs === 0 ? 0 : totalRuntimeMs / runs,
    successRate: runs === 0 ? 0 : (succeeded / runs) * 100,
  }
}

function lastOf(ended: readonly EndedRuns[]): EndedRuns | undefined {
  const some = ended.filter(({ runs }) => runs > 0)
  return some.reduce<EndedRuns | undefined>(
    (last, one) => (last === undefined || one.lastAt > last.lastAt ? one : last),
    undefined,
  )
}
