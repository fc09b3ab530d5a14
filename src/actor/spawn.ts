// How an actor comes to life.

import type { Actor } from './actor.ts'
import { Cell } from './cell.ts'
import type { Core } from './core.ts'
import { anObject, makeInvalid, nameTaken, oneOf, optionInvalid } from './errors.ts'
import { ActorHandle } from './handle.ts'
import type { Handle } from './handle.ts'
import { mailboxLimits } from './mailbox.ts'
import type { MailboxOptions } from './mailbox.ts'
import { ActorRef, cellOf } from './ref.ts'
import type { Ref } from './ref.ts'
import { RestartBudget } from './restart-budget.ts'
import type { RestartLimits } from './restart-budget.ts'
import type { Rebirth, RestartPolicy } from './supervision.ts'
import { threaded } from './thread.ts'
import type { ActorClass, ThreadOptions } from './thread.ts'

/** A function that makes the actor, or a class that needs no arguments. */
export type Make<A extends Actor> = (() => A) | (new () => A)

export interface SpawnOptions {
  /** Makes the actor findable with `lookup`; unique among living actors. */
  readonly name?: string
  /** The capacity, or also what happens when it is used up; 100 and `'wait'` when absent. */
  readonly mailbox?: number | MailboxOptions
  /** Adds a second lane for messages sent with `{ priority: true }`: ahead of the others, but never more than eight in a row. */
  readonly priority?: boolean
  /** When the actor is made anew after it ended; `'temporary'`, which is never, when absent. Its ref and its mail stay. */
  readonly restart?: RestartPolicy
  /** How often it may be restarted; then it ends, and its parent fails. */
  readonly restarts?: RestartLimits
}

const policies: readonly RestartPolicy[] = ['permanent', 'transient', 'temporary']

export type Spawned<A extends Actor> = readonly [ref: Ref<A>, handle: Handle<A>]

export type SpawnFunction = <A extends Actor>(origin: SpawnOrigin, make: Make<A>, options?: SpawnOptions) => Spawned<A>

interface GroupOptions {
  readonly make: Make<Actor>
  readonly name: string | undefined
  readonly priority?: boolean | undefined
}

export interface SpawnOrigin {
  readonly core: Core
  readonly parent?: Cell | undefined
}

/**
 * Starts an actor. A constructor that throws is a failed start like any other: the handle tells.
 *
 * Throws: `name_taken`, `option_invalid`, and why the parent is gone when it is ending.
 */
export function spawn<A extends Actor>(
  { core, parent }: SpawnOrigin,
  make: Make<A>,
  options: SpawnOptions | ThreadOptions<ActorClass> = {},
): Spawned<A> {
  if (typeof make !== 'function') throw makeInvalid(make)
  const { name, priority: hasPriority = false } = anObject('options of an actor', options)
  if (name !== undefined && typeof name !== 'string') throw optionInvalid('name', name, 'text')
  const limits = mailboxLimits(options.mailbox)
  const rebirth = rebirthOf(options)
  if (parent?.life.isEnding === true) throw parent.whyGone()
  const holder = name === undefined ? undefined : core.names.get(name)
  if (name !== undefined && holder !== undefined) throw nameTaken(name, holder)
  const cell = new Cell({ core, parent, name, limits, hasPriority, rebirth, make: makerOf(make, options) })
  cell.ref = new ActorRef(cell)
  cell.life.begin()
  return [cell.ref as unknown as Ref<A>, new ActorHandle(cell) as unknown as Handle<A>]
}

/** Starts an actor that holds others and fails with them; nothing is left behind when `fill` throws. */
export function spawnGroup<T>(origin: SpawnOrigin, options: GroupOptions, fill: (cell: Cell, handle: Handle) => T): T {
  const { make, name, priority = false } = options
  const [ref, handle] = spawn(origin, make, { priority, ...(name !== undefined && { name }) })
  const cell = cellOf(ref)
  try {
    const filled = fill(cell, handle)
    cell.life.belongings.escalates = true
    return filled
  } catch (error) {
    cell.life.kill()
    throw error
  }
}

function makerOf(make: Make<Actor>, options: SpawnOptions | ThreadOptions<ActorClass>): Make<Actor> {
  return 'thread' in options ? threaded(make as ActorClass, options) : make
}

function rebirthOf({ restart = 'temporary', restarts }: SpawnOptions): Rebirth | undefined {
  oneOf('restart policy', restart, policies)
  return restart === 'temporary' ? undefined : { policy: restart, budget: new RestartBudget(restarts), count: 0 }
}
