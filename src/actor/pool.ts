// Many actors of one kind behind one ref.

import type { Duration } from '../lib/duration.ts'
import { toMs } from '../lib/duration.ts'
import { Actor } from './actor.ts'
import type { Cell } from './cell.ts'
import { anObject, oneOf, optionInvalid, wholeNumber } from './errors.ts'
import type { Handle } from './handle.ts'
import type { Protocol } from './message.ts'
import { Members } from './pool-members.ts'
import type { Growth } from './pool-members.ts'
import { Everyone, PoolRef } from './pool-ref.ts'
import { cellOf } from './ref.ts'
import type { MessageName, Ref } from './ref.ts'
import { hashOfKey, leastBusy, random, roundRobin } from './routes.ts'
import type { Key, Route, Router } from './routes.ts'
import { spawn, spawnGroup } from './spawn.ts'
import type { Make, SpawnOptions, SpawnOrigin } from './spawn.ts'
import type { RestartPolicy } from './supervision.ts'

type Payload<M> = M extends (...payload: infer P) => unknown ? (P extends [] ? undefined : P[0]) : never

/** What `key` is called with: the name of a message and its payload, or the tag of a message and the message. */
export type KeyArguments<A> = { [K in MessageName<A>]: [name: K, payload: Payload<Protocol<A>[K]>] }[MessageName<A>]

/** The name is that of the pool; mailbox, priority and restarts are those of each member. */
export interface PoolOptions<A extends Actor> extends SpawnOptions {
  /** How many members there always are; or give `min` and `max`. */
  readonly size?: number
  /** 1 when absent. */
  readonly min?: number
  /**
   * A member is added, up to so many, when a message would go to one that has work waiting; with `route: 'hash'`, when the first message comes
   * of keys that have no member. A broadcasting pool stays at `min`.
   */
  readonly max?: number
  /** `'round-robin'` when absent. */
  readonly route?: Route
  /** What the messages have in common that must stay in order, for `route: 'hash'`. What it throws is thrown at the sender. */
  readonly key?: ((...message: KeyArguments<A>) => string | number) | ((name: MessageName<A>) => string | number)
  /** A member above `min` that had nothing to do for so long, and up to a quarter longer, is stopped; 30 s when absent. */
  readonly idleAfter?: Duration
  /** `'permanent'` when absent. A member that ends and is not restarted is replaced by a new one when a message would go to it. */
  readonly restart?: RestartPolicy
}

/**
 * Reaches the members of a pool as a ref reaches one actor; it prints as `Counter×4(#7)`.
 *
 * With `route: 'broadcast'` a tell goes to all members and is true when all of them took it, a send waits until it is in with all, and an ask resolves
 * with the first reply; when all of them reject it, it is rejected with the reason of the first member. Such an ask is not searched for deadlocks.
 */
export interface Pool<A extends Actor> extends Ref<A> {
  /** Stops or kills the pool with its members: a stop lets each of them handle what it was given. */
  readonly handle: Handle
  /** How many members are alive now. */
  readonly size: number
}

export type PoolFunction = <A extends Actor>(
  origin: SpawnOrigin,
  make: Make<A>,
  options: PoolOptions<NoInfer<A>>,
) => Pool<A>

/** Holds the members; it takes no messages. */
class Keeper extends Actor {
  /** Shows until there are members to be named after. */
  static override readonly name: string = 'Pool'
  members: Members | undefined
  override stopped(): void {
    this.members?.close()
  }
}

/**
 * Starts a pool with its first members.
 *
 * Throws: `option_invalid`, `name_taken`, and why the parent is gone when it is ending; nothing is left behind then.
 */
export function pool<A extends Actor>(origin: SpawnOrigin, make: Make<A>, options: PoolOptions<NoInfer<A>>): Pool<A> {
  const growth = growthOf(anObject('options of the pool', options))
  const keeper = new Keeper()
  const { name, restart = 'permanent', ...rest } = options
  return spawnGroup(origin, { make: () => keeper, name, priority: options.priority }, (cell, handle) => {
    const own = { ...rest, restart }
    const members = new Members(cell, growth, () => cellOf(spawn({ core: origin.core, parent: cell }, make, own)[0]))
    keeper.members = members
    cell.protocol = members.places[0]?.cell.protocol
    cell.ref = new PoolRef({ cell, members, handle, router: routerOf(members, options, cell) })
    return cell.ref as unknown as Pool<A>
  })
}

const routes: readonly Route[] = ['round-robin', 'least-busy', 'random', 'hash', 'broadcast']

function growthOf<A extends Actor>({
  size,
  route = 'round-robin',
  key,
  idleAfter = '30s',
  min: least,
  max: most,
}: PoolOptions<A>): Growth {
  oneOf('route', route, routes)
  if (route === 'hash' && typeof key !== 'function')
    throw optionInvalid(
      'key of the pool',
      key,
      "a function of name and payload, as route 'hash' goes by what it returns",
    )
  const idleAfterMs = toMs(idleAfter)
  if (idleAfterMs <= 0) throw optionInvalid('idleAfter', idleAfter, 'a duration above zero')
  if (size !== undefined && (least ?? most) !== undefined)
    throw optionInvalid('size of the pool', size, 'either size or min and max, not both')
  const count = 'size (or min, or max) of the pool'
  const min = wholeNumber(count, size ?? least ?? (most === undefined ? undefined : 1), 1)
  const max = wholeNumber(count, most ?? min, 1)
  if (min > max) throw optionInvalid('min of the pool', min, `at most its max, which is ${max}`)
  return { min, max: route === 'broadcast' ? min : max, idleAfterMs }
}

function routerOf<A extends Actor>(members: Members, options: PoolOptions<A>, { core, id }: Cell): Router {
  const everyone = new Everyone(members, core)
  switch (options.route) {
    case 'broadcast':
      return () => everyone
    case 'hash':
      return hashOfKey(members, options.key as unknown as Key)
    case 'least-busy':
      return leastBusy(members)
    case 'random':
      return random(members, id)
    default:
      return roundRobin(members)
  }
}
