// Waiting for something, but not for ever.
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'

/** True once `work` is done, false when `withinMs` passed first; rejects with what it failed with until then, and looks away afterwards. */
export function isDoneWithin(clock: Clock, withinMs: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(Math.max(0, withinMs), () => resolve(false))
    work.then(() => resolve(true), reject).finally(() => timer.cancel())
  })
}

/** Waits for parts of an end one after the other, and goes on without what fails or takes too long. */
export function goingOn({ clock, log }: { clock: Clock; log: Log }, leftMs: () => number): WaitFor {
  return async (part, work) => {
    try {
      if (!(await isDoneWithin(clock, leftMs(), work)))
        log.warn({}, `stopping took too long and went on without ${part}`)
    } catch (error) {
      log.warn({ err: error }, `stopping went on without ${part}`)
    }
  }
}

type WaitFor = (part: string, work: Promise<unknown>) => Promise<void>
