// What a node of the crash tests may say in its log, as what brings it about is done to it on purpose; all else is a fault.
import type { LogFields } from '../../src/lib/log.ts'

/** While it cannot reach its store, or hears late of what it wrote. */
export const whileCutOff: readonly string[] = [
  'the store did not take what this node wanted written',
  'a run was set aside because the store cannot write',
  'the thread that renews the lease of this node failed',
  'looking for dead nodes failed',
  'waking what is due failed',
  'renewing the lease failed',
  'looking for stale runs failed',
  'looking for what nobody would wake failed',
  'looking for dead processes failed',
  'looking at the clock failed',
  'taking in what was left to be started failed',
  'could not be fired',
]

/** Invariant: I9. A claim whose answer comes when the lease is over is let go, and given back by the sweep should nobody have taken it. */
export function isLateClaim(text: string, { runs, slots }: LogFields): boolean {
  return text.endsWith('that nobody would have come back to') && runs === 0 && slots === 0
}
