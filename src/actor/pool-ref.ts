// The refs of pools: their verbs go straight to the mailboxes of members.

import type { Cell } from './cell.ts'
import type { Handle } from './handle.ts'
import { alive } from './life-state.ts'
import type { Tagged } from './message.ts'
import type { Members } from './pool-members.ts'
import { ActorRef } from './ref.ts'
import type { AskOptions, SendOptions } from './ref.ts'
import type { Router } from './routes.ts'

interface PoolParts {
  readonly cell: Cell
  readonly members: Members
  readonly handle: Handle
}

/** Each message goes to one member. */
export class PoolRef extends ActorRef {
  readonly handle: Handle
  readonly #cell: Cell
  readonly #members: Members
  readonly #router: Router
  readonly #door: ActorRef

  constructor({ cell, members, handle }: PoolParts, router: Router) {
    super(cell)
    this.handle = handle
    this.#cell = cell
    this.#members = members
    this.#router = router
    this.#door = new ActorRef(cell)
  }

  get size(): number {
    return this.#members.living
  }

  override tell(message: string | Tagged, second?: unknown, third?: SendOptions): boolean {
    return this.#pick(message, second).tell(message, second, third)
  }

  override send(message: string | Tagged, second?: unknown, third?: SendOptions): Promise<void> | undefined {
    return this.#pick(message, second).send(message, second, third)
  }

  override ask(message: string | Tagged, second?: unknown, third?: AskOptions): Promise<unknown> {
    return this.#pick(message, second).ask(message, second, third)
  }

  #pick(message: string | Tagged, payload: unknown): ActorRef {
    // Invariant: a pool takes messages as long as it is alive; then its own mailbox, which is closed, refuses them.
    if (this.#cell.state !== alive) return this.#door
    if (typeof message === 'string') return this.#router.pick(message, payload).ref
    return this.#router.pick(message.tag, message).ref
  }
}

/** Each message goes to all members. */
export class BroadcastRef extends ActorRef {
  readonly handle: Handle
  readonly #cell: Cell
  readonly #members: Members
  readonly #door: readonly ActorRef[]

  constructor({ cell, members, handle }: PoolParts) {
    super(cell)
    this.handle = handle
    this.#cell = cell
    this.#members = members
    this.#door = [new ActorRef(cell)]
  }

  get size(): number {
    return this.#members.living
  }

  override tell(message: string | Tagged, second?: unknown, third?: SendOptions): boolean {
    let isInWithAll = true
    for (const ref of this.#all()) isInWithAll = ref.tell(message, second, third) && isInWithAll
    return isInWithAll
  }

  override send(message: string | Tagged, second?: unknown, third?: SendOptions): Promise<void> | undefined {
    const waits = this.#all().flatMap((ref) => ref.send(message, second, third) ?? [])
    if (waits.length === 0) return undefined
    const inWithAll = settledAll(waits)
    // The dead letter owns the failure, so a sender that looks away is not an unhandled rejection.
    inWithAll.catch(() => undefined)
    return inWithAll
  }

  /** Invariant: who asks waits for one of many, so the search for deadlocks, which takes every wait for needed, is left out. */
  override ask(message: string | Tagged, second?: unknown, third?: AskOptions): Promise<unknown> {
    const { core } = this.#cell
    const { running } = core
    core.running = undefined
    try {
      return firstReply(this.#all().map((ref) => ref.ask(message, second, third)))
    } finally {
      core.running = running
    }
  }

  #all(): readonly ActorRef[] {
    if (this.#cell.state !== alive) return this.#door
    return this.#members.places.map((place) => this.#members.filled(place).ref)
  }
}

async function settledAll(waits: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(waits)) if (outcome.status === 'rejected') throw outcome.reason
}

async function firstReply(replies: readonly Promise<unknown>[]): Promise<unknown> {
  try {
    return await Promise.any(replies)
  } catch (error) {
    throw (error as AggregateError).errors[0]
  }
}
