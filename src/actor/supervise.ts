// Groups of actors that are restarted by one strategy and end together.

import { Actor } from './actor.ts'
import { readEntries } from './entries.ts'
import type { Entries, RefsOf } from './entries.ts'
import { anObject, oneOf } from './errors.ts'
import type { Handle } from './handle.ts'
import { RestartBudget } from './restart-budget.ts'
import type { RestartLimits } from './restart-budget.ts'
import { spawn, spawnGroup } from './spawn.ts'
import type { SpawnOrigin } from './spawn.ts'
import type { Strategy } from './supervision.ts'

/** `max`, `within` and `backoff` hold for each child by itself, and for those that do not say otherwise in `restarts`. */
export interface SuperviseOptions extends RestartLimits {
  /** Who is restarted with a child that failed; `'one-for-one'`, nobody else, when absent. */
  readonly strategy?: Strategy
  /** Makes the supervisor findable with `lookup`, and its children as `name/key`. */
  readonly name?: string
}

export type Supervised<E> = readonly [refs: RefsOf<E>, handle: Handle]

export type SuperviseFunction = <E extends Entries>(
  origin: SpawnOrigin,
  options: SuperviseOptions,
  children: E,
) => Supervised<E>

/** Holds the children; it takes no messages. */
class Supervisor extends Actor {}

const strategies: readonly Strategy[] = ['one-for-one', 'one-for-all', 'rest-for-one']

/**
 * Starts a supervisor with its children, which are `'permanent'` unless they say otherwise.
 *
 * Throws: `option_invalid`, `name_taken`, and why the parent is gone when it is ending; nothing is left behind then.
 */
export function supervise<E extends Entries>(
  origin: SpawnOrigin,
  options: SuperviseOptions,
  children: E,
): Supervised<E> {
  const { strategy = 'one-for-one', name, ...limits } = anObject('options', options)
  oneOf('strategy', strategy, strategies)
  // Limits that no child uses are checked too.
  void new RestartBudget(limits)
  const entries = readEntries(children)
  return spawnGroup(origin, { make: Supervisor, name }, (cell, handle) => {
    cell.life.belongings.supervision.strategy = strategy
    const refs = entries.map(({ key, make, restart = 'permanent', restarts, ...rest }) => {
      const own = { ...rest, restart, restarts: { ...limits, ...restarts }, name: `${name ?? cell}/${key}` }
      return [key, spawn({ core: origin.core, parent: cell }, make, own)[0]]
    })
    return [Object.freeze(Object.fromEntries(refs)) as RefsOf<E>, handle]
  })
}
