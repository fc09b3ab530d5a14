// Whether the answers of a counter, that of each ask the next number, could be those of one that counts one ask after the other.

/** One ask, on one clock; null where no answer came: it may have been counted or not. */
export interface CountAsk {
  readonly from: number
  readonly to: number
  readonly n: number | null
}

/**
 * What is wrong with a history of a counter that has come to `last`; empty when it is linearizable.
 * Sorted by its answers, no ask may have ended before one of a lower answer began: then each has a moment between its ends in that order.
 */
export function faultsOfCounter(asks: readonly CountAsk[], last: number): string[] {
  const answered = asks.filter((ask): ask is CountAsk & { n: number } => ask.n !== null).toSorted((a, b) => a.n - b.n)
  const open = asks.length - answered.length
  const missing = last - answered.length
  const faults: string[] = []
  let latestFrom = -Infinity
  let before = 0
  for (const { n, from, to } of answered) {
    if (n === before) faults.push(`${n} was answered twice`)
    if (to < latestFrom) faults.push(`${n} was answered before an ask began that was answered with less`)
    latestFrom = Math.max(latestFrom, from)
    before = n
  }
  if (before > last) faults.push(`${before} was answered, and the counter is at ${last}`)
  if (missing > open) faults.push(`${missing} were counted that nobody was told, and ${open} asks had no answer`)
  if (missing < 0) faults.push(`${answered.length} were answered, and the counter is at ${last}`)
  return faults
}
