// Many actors of one kind behind one ref.

import type { Duration } from '../lib/duration.ts'
import { toMs } from '../lib/duration.ts'
import { seededRandom } from '../lib/random.ts'
import { Actor } from './actor.ts'
import {
  idleTimeInvalid,
  keyMissing,
  poolLimitsInvalid,
  poolLimitsMixed,
  poolSizeInvalid,
  routeInvalid,
} from './errors.ts'
import type { Handle } from './handle.ts'
import type { Protocol } from './message.ts'
import { Members } from './pool-members.ts'
import type { Growth } from './pool-members.ts'
import { BroadcastRef, PoolRef } from './pool-ref.ts'
import { cellOf } from './ref.ts'
import type { MessageName, Ref } from './ref.ts'
import { HashOfKey, LeastBusy, Random, RoundRobin } from './routes.ts'
import type { Key, Route, Router } from './routes.ts'
import { spawn } from './spawn.ts'
import type { Make, SpawnFunction, SpawnOptions } from './spawn.ts'
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
  /** A member is added, up to so many, when a message would go to one that has work waiting. A broadcasting pool stays at `min`. */
  readonly max?: number
  /** `'round-robin'` when absent. */
  readonly route?: Route
  /** What the messages have in common that must stay in order, for `route: 'hash'`. What it throws is thrown at the sender. */
  readonly key?: ((...message: KeyArguments<A>) => string | number) | ((name: MessageName<A>) => string | number)
  /** A member above `min` that had nothing to do for so long, and up to a quarter longer, is stopped; 30 s when absent. */
  readonly idleAfter?: Duration
  /** Numbers from 0 up to but not including 1, for `route: 'random'`; when absent, the same for each pool with the same id. */
  readonly random?: () => number
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

type Origin = Parameters<SpawnFunction>[0]

export type PoolFunction = <A extends Actor>(origin: Origin, make: Make<A>, options: PoolOptions<NoInfer<A>>) => Pool<A>

const routes: readonly unknown[] = ['round-robin', 'least-busy', 'random', 'hash', 'broadcast']

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
export function pool<A extends Actor>(origin: Origin, make: Make<A>, options: PoolOptions<NoInfer<A>>): Pool<A> {
  const { name, restart = 'permanent', ...rest } = options
  const growth = growthOf(options)
  const { core } = origin
  const keeper = new Keeper()
  const own = { priority: options.priority === true }
  const [ref, handle] = spawn(origin, () => keeper, name === undefined ? own : { ...own, name })
  const cell = cellOf(ref)
  try {
    const members = new Members(cell, growth, () =>
      cellOf(spawn({ core, parent: cell }, make, { ...rest, restart })[0]),
    )
    keeper.members = members
    const parts = { cell, members, handle }
    const router = routerOf(members, options, cell.id)
    cell.ref = router === undefined ? new BroadcastRef(parts) : new PoolRef(parts, router)
  } catch (error) {
    cell.life.kill()
    throw error
  }
  cell.life.belongings.escalates = true
  return cell.ref as unknown as Pool<A>
}

function growthOf<A extends Actor>({
  size,
  min,
  max,
  route = 'round-robin',
  key,
  idleAfter = '30s',
}: PoolOptions<A>): Growth {
  if (!routes.includes(route)) throw routeInvalid(route)
  if (route === 'hash' && key === undefined) throw keyMissing()
  const idleAfterMs = toMs(idleAfter)
  if (idleAfterMs <= 0) throw idleTimeInvalid(idleAfter)
  const limits = size === undefined ? limitsOf(min, max) : limitsOf(size, size)
  if (size !== undefined && (min ?? max) !== undefined) throw poolLimitsMixed(size)
  return { min: limits.min, max: route === 'broadcast' ? limits.min : limits.max, idleAfterMs }
}

function limitsOf(least: number | undefined, most: number | undefined): { min: number; max: number } {
  if (least === undefined && most === undefined) throw poolSizeInvalid(undefined)
  const min = least ?? 1
  const max = most ?? min
  for (const count of [min, max]) if (!Number.isInteger(count) || count < 1) throw poolSizeInvalid(count)
  if (min > max) throw poolLimitsInvalid(min, max)
  return { min, max }
}

/** Who chooses the member for a message; nobody when it goes to all. */
function routerOf<A extends Actor>(
  members: Members,
  { route = 'round-robin', key, random }: PoolOptions<A>,
  seed: number,
): Router | undefined {
  if (route === 'broadcast') return undefined
  if (route === 'hash') return new HashOfKey(members, key as unknown as Key)
  if (route === 'random') return new Random(members, random ?? seededRandom(seed))
  return route === 'least-busy' ? new LeastBusy(members) : new RoundRobin(members)
}
