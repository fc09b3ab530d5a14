// The refs of pools: their verbs go straight to the mailboxes of members.

import type { Cell } from './cell.ts'
import type { Core } from './core.ts'
import type { Handle } from './handle.ts'
import { alive } from './life-state.ts'
import type { Tagged } from './message.ts'
import type { Members } from './pool-members.ts'
import { ActorRef } from './ref.ts'
import type { AskOptions, SendOptions } from './ref.ts'
import type { Router } from './routes.ts'

/** What takes the verbs of the ref in the end: one member, or all. */
export type Target = Pick<ActorRef, 'tell' | 'send' | 'ask'>

interface PoolParts {
  readonly cell: Cell
  readonly members: Members
  readonly handle: Handle
  readonly router: Router
}

export class PoolRef extends ActorRef {
  readonly handle: Handle
  readonly #cell: Cell
  readonly #members: Members
  readonly #router: Router
  readonly #door: ActorRef

  constructor({ cell, members, handle, router }: PoolParts) {
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

  #pick(message: string | Tagged, payload: unknown): Target {
    // Invariant: a pool takes messages as long as it is alive; then its own mailbox, which is closed, refuses them.
    if (this.#cell.state !== alive) return this.#door
    return typeof message === 'string' ? this.#router(message, payload) : this.#router(message.tag, message)
  }
}

/** All members at once. */
export class Everyone implements Target {
  readonly #members: Members
  readonly #core: Core

  constructor(members: Members, core: Core) {
    this.#members = members
    this.#core = core
  }

  tell(...message: Parameters<ActorRef['tell']>): boolean {
    return !this.#map((ref) => ref.tell(...message)).includes(false)
  }

  send(...message: Parameters<ActorRef['send']>): Promise<void> | undefined {
    const waits = this.#map((ref) => ref.send(...message)).filter((wait) => wait !== undefined)
    if (waits.length === 0) return undefined
    const inWithAll = settledAll(waits)
    // The dead letter owns the failure, so a sender that looks away is not an unhandled rejection.
    inWithAll.catch(() => undefined)
    return inWithAll
  }

  /** Invariant: who asks waits for one of many, so the search for deadlocks, which takes every wait for needed, is left out. */
  ask(...message: Parameters<ActorRef['ask']>): Promise<unknown> {
    return this.#core.runAs(undefined, () => firstReply(this.#map((ref) => ref.ask(...message))))
  }

  #map<T>(verb: (ref: ActorRef) => T): T[] {
    return this.#members.places.map((place) => verb(this.#members.filled(place).ref))
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
