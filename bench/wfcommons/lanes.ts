// Which lane of a chart each task stands in: the first that is free when it begins.
import { Heap } from '../../src/lib/heap.ts'
import type { Span } from './ledger.ts'

interface Busy {
  readonly lane: number
  readonly until: number
}

/** The lane of each task. */
export function lanesOf(spans: readonly Span[]): readonly number[] {
  const busy = new Heap<Busy>((one, other) => one.until - other.until)
  const free = new Heap<number>((one, other) => one - other)
  const lanes: number[] = []
  let made = 0
  for (const place of inOrder(spans)) {
    const { begunAt, endedAt } = spans[place] as Span
    while ((busy.peek()?.until ?? Infinity) <= begunAt) free.push((busy.pop() as Busy).lane)
    const lane = free.pop() ?? made++
    lanes[place] = lane
    busy.push({ lane, until: endedAt })
  }
  return lanes
}

function inOrder(spans: readonly Span[]): readonly number[] {
  return [...spans.keys()].sort((one, other) => (spans[one]?.begunAt ?? 0) - (spans[other]?.begunAt ?? 0))
}
