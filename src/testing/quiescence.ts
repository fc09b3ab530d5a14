// Waits until the actors of a system have nothing more to do.

import { coreOf } from '../actor/system.ts'
import type { ActorSystem } from '../actor/system.ts'
import { systemClock } from '../lib/clock.ts'

/** So many turns of the event loop in which nothing happens mean that nothing will. */
const quietRounds = 3
const mostMessages = 1_000_000
/** Of turns that are no messages, such as the results of tasks, so many slices of the run queue. */
const mostBusyRounds = 256

/**
 * Resolves when no actor can go on: their mail is handled, and the handlers that are left wait for time or for the world outside.
 *
 * Time does not move. A handler that waits for a file or a socket counts as having nothing to do.
 * Throws: an error that names the busiest actors, when they have handled a million messages, or taken some million turns, and still go on.
 */
export async function comeToRest(system: ActorSystem): Promise<void> {
  const { runQueue } = coreOf(system)
  const startedAt = handledBy(system)
  let seen = ''
  let busyRounds = 0
  for (let quiet = 0; quiet < quietRounds;) {
    await new Promise<void>((resolve) => systemClock.soon(resolve))
    const { actors, processed, failed, waiting, deadLetters } = system.metrics()
    busyRounds = runQueue.isBusy ? busyRounds + 1 : 0
    const handled = handledBy(system) - startedAt
    if (handled > mostMessages || busyRounds > mostBusyRounds) throw new Error(restless(system, handled))
    const now = [actors, processed, failed, waiting, deadLetters].join()
    quiet = now === seen && !runQueue.isBusy ? quiet + 1 : 0
    seen = now
  }
}

function handledBy(system: ActorSystem): number {
  const { processed, failed, deadLetters } = system.metrics()
  return processed + failed + deadLetters
}

function restless(system: ActorSystem, handled: number): string {
  const nodes = system.tree()
  for (const node of nodes) nodes.push(...node.children)
  const busiest = nodes.sort((a, b) => b.processed + b.failed - a.processed - a.failed).slice(0, 3)
  const names = busiest.map(({ actor, processed, failed }) => `${actor} handled ${processed + failed} messages`)
  return `The actors do not come to rest: ${handled} messages were handled and they still go on (${names.join(', ')}). Break the circle in which they keep each other busy.`
}
