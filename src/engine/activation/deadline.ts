// The time that a run has from its start on, for its begin and in all, whatever its attempts do.
import type { Timer } from '../../lib/clock.ts'
import { runDeadlinePassed, runExpired } from '../../model/time-errors.ts'
import type { Activation } from './activation.ts'

/** Tells at once that the time was up before the run came here, or else when it is; the timer is for whoever ends the run before. */
export function deadlineOf(
  { claimed, definition, deps }: Pick<Activation, 'claimed' | 'definition' | 'deps'>,
  isUp: (error: Error) => void,
): Timer | undefined {
  const { createdAt, expiresAt, deadlineAt } = claimed
  const now = deps.store.now()
  if (expiresAt !== null && expiresAt <= now) isUp(runExpired(definition.name, expiresAt - createdAt))
  else if (deadlineAt !== null) {
    const miss = (): void => isUp(runDeadlinePassed(definition.name, deadlineAt - createdAt))
    if (deadlineAt > now) return deps.clock.after(deadlineAt - now, miss, { background: true })
    miss()
  }
  return undefined
}
