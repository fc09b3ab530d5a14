// Who looks when something may be ready or due: who claims, who waits in a line, who keeps the times, and the runs that are here.
import type { ActiveRuns } from './activation/active-runs.ts'
import type { Slots } from './limits/slots.ts'
import type { Timekeeping } from './membership/timekeeping.ts'
import { askForMail, type Write } from './writes.ts'

export interface HintsOptions {
  readonly active: ActiveRuns
  readonly slots: Slots
  readonly timekeeping: Timekeeping
  readonly now: () => number
  readonly write: (write: Write) => void
  /** Looks for runs to claim. */
  readonly claim: (again?: string) => void
}

export class Hints {
  readonly #options: HintsOptions

  constructor(options: HintsOptions) {
    this.#options = options
  }

  /** Runs may have become ready; one that is given was tried again here. */
  ready(again?: string): void {
    this.#options.claim(again)
    this.#options.slots.look()
  }

  /** Something may be ready, or due sooner than this node knows. */
  changed(): void {
    this.#options.timekeeping.wake()
    this.othersWrote()
  }

  /** Runs may be ready, and those that are here may have been told something. */
  othersWrote(): void {
    this.ready()
    if (this.#options.active.size > 0) this.#options.write(askForMail)
  }

  /** Somebody who waits is let in then. */
  opensAt(at: number): void {
    if (at <= this.#options.now()) this.ready()
    else this.#options.timekeeping.dueAt(at)
  }
}
