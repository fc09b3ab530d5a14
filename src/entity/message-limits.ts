// The limiters of an entity: a message waits for its slots before it is handled, and they are free when that is done.
import type { Activation } from '../engine/activation/activation.ts'
import { keyAt } from '../engine/limits/limits.ts'
import type { Visit } from '../engine/limits/slots.ts'
import { deferred } from '../lib/deferred.ts'
import { isTroupeError, toError } from '../lib/errors.ts'
import type { Behaviour } from './behaviour.ts'

/** What a limiter of an entity makes its key of. */
export interface EntityMessage {
  /** Of the entity. */
  readonly key: string
  /** The name of its handler. */
  readonly message: string
  readonly args: readonly unknown[]
}

/** `elsewhere`: not handled now, as this node stops or the store is away. */
type Passed = 'passed' | 'elsewhere'

export class MessageLimits {
  readonly #activation: Activation
  readonly #behaviour: Behaviour
  #visit: Visit | undefined
  #giveUp: (() => void) | undefined

  constructor(activation: Activation, behaviour: Behaviour) {
    this.#activation = activation
    this.#behaviour = behaviour
  }

  /** Resolves once all slots are there. Throws `option_invalid`, `definition_invalid` when they never can be. */
  async enter(message: EntityMessage): Promise<Passed> {
    const { name, limits } = this.#behaviour
    const keyed = limits.map((rule) => ({ rule, key: keyAt(rule, message, `a message of entity '${name}'`) }))
    const passed = deferred<Passed>()
    this.#giveUp = () => passed.resolve('elsewhere')
    this.#visit = this.#activation.around.slots.visit(
      { limits: keyed, step: null },
      {
        passed: () => passed.resolve('passed'),
        // Race: to have lost its slots means no more to who is handled than to have lost its lease, which ends it.
        ended: (reason) => this.#refused(toError(reason), passed),
      },
    )
    return passed.promise
  }

  /** What was handled, or is not handled here, frees what it has. */
  leave(): void {
    if (this.#visit === undefined) return
    this.#giveUp?.()
    this.#activation.around.slots.leave(this.#visit)
    this.#visit = undefined
  }

  #refused(error: Error, { resolve, reject }: ReturnType<typeof deferred<Passed>>): void {
    if (isTroupeError(error, 'definition_invalid')) return reject(error)
    resolve('elsewhere')
  }
}
