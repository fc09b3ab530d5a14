// The actors that an engine has one of: without any of them it cannot go on, and says so.
import type { Actor } from '../actor/actor.ts'
import type { Handle } from '../actor/handle.ts'
import type { Ref } from '../actor/ref.ts'
import { ActorSystem } from '../actor/system.ts'
import { upkeepOf } from '../lib/clock.ts'
import { engineFailed, engineStopped } from '../model/errors.ts'
import type { Deps } from './deps.ts'
import type { Write } from './writes.ts'

// Enough for what one turn of a busy loop brings; callers from outside wait for room.
const mailboxOfOne = 16_384

export class Company {
  readonly system: ActorSystem
  readonly #log: Deps['log']
  readonly #failed: (failure: Error) => void
  #failure: Error | undefined

  /** `failed`: one of them did, and the engine takes no more work. */
  constructor({ clock, log }: Deps, failed: (failure: Error) => void) {
    this.#log = log
    this.#failed = failed
    this.system = new ActorSystem({ name: 'troupe', clock: upkeepOf(clock), log })
    this.system.deadLetters.onDeadLetter(({ message, payload }) => {
      if (message === 'write') (payload as Write).failed(this.end)
    })
  }

  /** Why the first of them failed, or why the work has ended. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Why nothing goes on here. */
  get end(): Error {
    return this.#failure ?? engineStopped()
  }

  /** Ends the work for a reason that is none of theirs; false when it had ended before. */
  endWork(reason: Error): boolean {
    if (this.#failure !== undefined) return false
    this.#failure = reason
    this.#log.error({ err: reason }, 'this node takes no more work')
    return true
  }

  employ<A extends Actor>(name: string, make: () => A): { readonly ref: Ref<A>; readonly handle: Handle<A> } {
    const [ref, handle] = this.system.spawn(make, { name, mailbox: mailboxOfOne })
    void handle.done.then(({ kind, error }) => {
      if (kind !== 'failed') return
      this.#log.error({ actor: name, err: error }, 'a part of the engine failed: this node takes no more work')
      this.#failure ??= engineFailed(name, error)
      this.#failed(this.#failure)
    })
    return { ref, handle }
  }
}
