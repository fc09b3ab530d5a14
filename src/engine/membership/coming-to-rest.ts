// What is under way on a node comes to rest before it ends: it finishes or parks in time, or is given back.
import type { Clock } from '../../lib/clock.ts'
import type { ActiveRuns } from '../activation/active-runs.ts'
import { isDoneWithin } from '../in-time.ts'
import type { LocalRuns } from '../activation/local-runs.ts'
import type { Slots } from '../limits/slots.ts'

export interface UnderWay {
  readonly clock: Clock
  readonly active: ActiveRuns
  readonly local: LocalRuns
  readonly slots: Slots
}

/** Both of the monotonic clock. */
export interface RestTimes {
  /** Until when it may finish. */
  readonly restBy: number
  /** Until when what is given back may still write. */
  readonly overBy: number
}

/** drain → wait → release → wait → give up */
export async function comeToRest({ clock, active, local, slots }: UnderWay, times: RestTimes): Promise<void> {
  for (const activation of active.all()) activation.drain()
  const isOver = Promise.all([local.close(), slots.close()])
  const areDoneBy = async (at: number): Promise<boolean> => {
    const withinMs = at - clock.monotonic()
    const ends = [active.whenEmpty(), isOver].map((end) => isDoneWithin(clock, withinMs, end))
    return (await Promise.all(ends)).every(Boolean)
  }
  if (await areDoneBy(times.restBy)) return
  for (const activation of active.all()) activation.release()
  local.release()
  slots.release()
  await areDoneBy(times.overBy)
  local.giveUp()
}
