// Finds the asks and sends that could never end, because the one they wait for waits for the one who asks.

import { deadlock } from './errors.ts'

/** Something a handler waits for. */
export interface Wait {
  readonly target: Waiter
  /** The name of the message that `target` is to take. */
  readonly message: string
  readonly promise: Promise<unknown>
  waiter: Waiter | undefined
  /** Its place among the waits of its waiter. */
  place: number
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
export function beginWait(waiter: Waiter, wait: Wait): Error | undefined {
  if (!waiter.isHolding) return undefined
  const path = cycleOf(waiter, wait.target)
  if (path !== undefined) return deadlock(wait.target, wait.message, path)
  wait.waiter = waiter
  waiter.waits ??= []
  wait.place = waiter.waits.push(wait) - 1
  return undefined
}

export function endWait({ waits }: Waiter, wait: Wait): void {
  // Otherwise its handler has ended before.
  if (waits?.[wait.place] !== wait) return
  const last = waits.pop() as Wait
  if (last === wait) return
  waits[wait.place] = last
  last.place = wait.place
}

/** Forgets that the handler of `waiter` waits for `promise`: it will hear of it in a turn of its own. */
export function endWaitFor(waiter: Waiter, promise: unknown): void {
  const wait = waiter.waits?.findLast((one) => one.promise === promise)
  if (wait !== undefined) endWait(waiter, wait)
}

/** The way along the waits from `waiter` back to itself, once it waits for `target`. */
function cycleOf(waiter: Waiter, target: Waiter): Waiter[] | undefined {
  // The common case: the other one waits for nobody.
  if (target.waits === undefined && target !== waiter) return undefined
  const reachedFrom = new Map<Waiter, Waiter>([[target, waiter]])
  const open = [target]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at === waiter) return trace(reachedFrom, waiter)
    for (const wait of at.waits ?? []) {
      if (reachedFrom.has(wait.target)) continue
      reachedFrom.set(wait.target, at)
      open.push(wait.target)
    }
  }
  return undefined
}

function trace(reachedFrom: ReadonlyMap<Waiter, Waiter>, end: Waiter): Waiter[] {
  const path = [end]
  do path.unshift(reachedFrom.get(path[0] as Waiter) as Waiter)
  while (path[0] !== end)
  return path
}
