// Finds the asks and sends that could never end, because the one they wait for waits for the one who asks.

import { deadlock } from './errors.ts'

/** Something a handler waits for. */
export interface Wait {
  readonly target: Waiter
  readonly promise: Promise<unknown>
}

/** An actor, seen as one who waits for others. */
export interface Waiter {
  toString(): string
  /** Whether a handler is under way that lets no other run. */
  readonly isHolding: boolean
  /** What that handler waits for; emptied when it ends. */
  waits: Wait[] | undefined
}

/** Books that the handler of `waiter` waits from now on; the error, and nothing booked, when that would close a cycle of waits. */
export function beginWait(waiter: Waiter, wait: Wait, message: string): Error | undefined {
  if (!waiter.isHolding) return undefined
  const path = cycleOf(waiter, wait.target)
  if (path !== undefined) return deadlock(wait.target, message, path)
  waiter.waits ??= []
  waiter.waits.push(wait)
  return undefined
}

export function endWait(waiter: Waiter, wait: Wait): void {
  const index = waiter.waits?.indexOf(wait) ?? -1
  if (index >= 0) waiter.waits?.splice(index, 1)
}

/** Forgets that the handler of `waiter` waits for `promise`: it will hear of it in a turn of its own. */
export function endWaitFor(waiter: Waiter, promise: unknown): void {
  const wait = waiter.waits?.find((one) => one.promise === promise)
  if (wait !== undefined) endWait(waiter, wait)
}

function cycleOf(waiter: Waiter, target: Waiter): Waiter[] | undefined {
  if (waiter === target) return [waiter, waiter]
  // The common case: the other one waits for nobody.
  if (target.waits === undefined) return undefined
  const path = pathBetween(target, waiter)
  return path === undefined ? undefined : [waiter, ...path]
}

/** A way along the waits from `from` to `to`, both included. */
function pathBetween(from: Waiter, to: Waiter): Waiter[] | undefined {
  const reachedFrom = new Map<Waiter, Waiter | undefined>([[from, undefined]])
  const open = [from]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at === to) return trace(reachedFrom, to)
    for (const { target } of at.waits ?? []) {
      if (reachedFrom.has(target)) continue
      reachedFrom.set(target, at)
      open.push(target)
    }
  }
  return undefined
}

function trace(reachedFrom: ReadonlyMap<Waiter, Waiter | undefined>, end: Waiter): Waiter[] {
  const path: Waiter[] = []
  for (let at: Waiter | undefined = end; at !== undefined; at = reachedFrom.get(at)) path.unshift(at)
  return path
}
