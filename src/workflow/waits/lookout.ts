// Looking in the store for what a workflow waits for.
import type { Activation } from '../../engine/activation/activation.ts'
import { isTroupeError, toError, type TroupeError } from '../../lib/errors.ts'
import { Lookout } from '../../lib/lookout.ts'

/** What it needs of the steps of the run. */
export interface LookoutOwner {
  readonly activation: Activation
  /** The run must not be parked while the store is asked. */
  asking(): void
  asked(): void
  /** What came cannot be read here. */
  unread(why: TroupeError): void
}

interface RunLookout {
  readonly owner: LookoutOwner
  readonly isNeeded: () => boolean
  readonly see: () => Promise<void>
}

// What another process brought to a run that cannot park, as something of it executes, is found by then.
const backstopMs = 1_000

/** Looks with `see` while `isNeeded`; what that throws sets the run aside. */
export function lookoutOf({ owner, isNeeded, see }: RunLookout): Lookout {
  const { activation } = owner
  const look = async (): Promise<void> => {
    owner.asking()
    try {
      await see()
    } catch (error) {
      if (isTroupeError(error, 'value_unreadable')) owner.unread(error)
      else if (!activation.isOver) activation.writeFailed(toError(error))
    }
    owner.asked()
  }
  return new Lookout({ clock: activation.deps.clock, isNeeded, look, backstopMs, background: true })
}
