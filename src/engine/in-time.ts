// Waiting for something, but not for ever.
import type { Clock } from '../lib/clock.ts'

/** True once `work` is done, false when `withinMs` passed first; rejects with what it failed with until then, and looks away afterwards. */
export function isDoneWithin(clock: Clock, withinMs: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(Math.max(0, withinMs), () => resolve(false))
    work.then(() => resolve(true), reject).finally(() => timer.cancel())
  })
}
