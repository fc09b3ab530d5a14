// How an actor comes to life.

import { Actor, bindActor } from './actor.ts'
import { Cell } from './cell.ts'
import type { Core } from './core.ts'
import { nameTaken } from './errors.ts'
import { ActorHandle } from './handle.ts'
import type { Handle } from './handle.ts'
import { mailboxLimits } from './mailbox.ts'
import type { MailboxOptions } from './mailbox.ts'
import { ActorRef } from './ref.ts'
import type { Ref } from './ref.ts'

/** A function that makes the actor, or a class that needs no arguments. */
export type Make<A extends Actor> = (() => A) | (new () => A)

export interface SpawnOptions {
  /** Makes the actor findable with `lookup`; unique among living actors. */
  readonly name?: string
  /** The capacity, or also what happens when it is used up; 100 and `'wait'` when absent. */
  readonly mailbox?: number | MailboxOptions
}

export type Spawned<A extends Actor> = readonly [ref: Ref<A>, handle: Handle<A>]

export type SpawnFunction = <A extends Actor>(origin: SpawnOrigin, make: Make<A>, options?: SpawnOptions) => Spawned<A>

interface SpawnOrigin {
  readonly core: Core
  readonly parent?: Cell
}

/**
 * Starts an actor. A constructor that throws is a failed start like any other: the handle tells.
 *
 * Throws: `name_taken`, `option_invalid`, and why the parent is gone when it is ending.
 */
export function spawn<A extends Actor>(
  { core, parent }: SpawnOrigin,
  make: Make<A>,
  options: SpawnOptions = {},
): Spawned<A> {
  const { name } = options
  const limits = mailboxLimits(options.mailbox)
  if (parent?.isEnding === true) throw parent.whyGone()
  const holder = name === undefined ? undefined : core.names.get(name)
  if (name !== undefined && holder !== undefined) throw nameTaken(name, holder)
  const cell = new Cell({ core, parent, name, limits })
  cell.ref = new ActorRef(cell)
  bringToLife(cell, make)
  return [cell.ref as unknown as Ref<A>, new ActorHandle(cell) as unknown as Handle<A>]
}

function bringToLife(cell: Cell, make: Make<Actor>): void {
  try {
    const actor = isClass(make) ? new make() : make()
    cell.className = actor.constructor.name || cell.className
    bindActor(actor, cell)
    cell.adopt(actor)
  } catch (error) {
    if (isClass(make)) cell.className = make.name
    cell.fail('start', error)
  }
}

function isClass(make: Make<Actor>): make is new () => Actor {
  return (make.prototype as unknown) instanceof Actor
}
