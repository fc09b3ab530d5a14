// Which member of a pool a message goes to.

import type { Cell } from './cell.ts'
import { restarting } from './life-state.ts'
import { loadOf } from './pool-members.ts'
import type { Members, Place } from './pool-members.ts'
import type { Target } from './pool-ref.ts'

/**
 * - `round-robin`: one after the other;
 * - `least-busy`: the one with the fewest messages waiting and under way;
 * - `random`: any;
 * - `hash`: messages with the same key go to the same member, in order, also while the pool grows and shrinks;
 * - `broadcast`: all of them.
 */
export type Route = 'round-robin' | 'least-busy' | 'random' | 'hash' | 'broadcast'

export type Key = (name: string, payload: unknown) => string | number

/** Chooses for every message; a member that takes none is replaced on the way. */
export type Router = (name: string, payload: unknown) => Target

export function roundRobin(members: Members): Router {
  let next = 0
  return () => {
    if (next >= members.places.length) next = 0
    return members.from(next++).ref
  }
}

export function leastBusy(members: Members): Router {
  // One that is being restarted comes after all others.
  const rank = (cell: Cell): number => loadOf(cell) + (cell.state === restarting ? Number.MAX_SAFE_INTEGER / 2 : 0)
  return () => {
    const cells = members.places.map((place) => members.filled(place))
    return members.relieved(cells.reduce((best, cell) => (rank(cell) < rank(best) ? cell : best))).ref
  }
}

/** Looks random; the same for each pool with the same id. */
export function random(members: Members, id: number): Router {
  let drawn = 0
  return () => members.from(hashOf(`${id} ${drawn++}`) % members.places.length).ref
}

/** Invariant: the messages of one key stay in order, as it keeps its place until the member there has had nothing to do for long. */
export function hashOfKey(members: Members, key: Key): Router {
  const places: (Place | undefined)[] = [...members.places]
  return (name, payload) => {
    const index = hashOf(key(name, payload)) % members.max
    let place = places[index]
    if (place === undefined || place.isGone) place = places[index] = members.grow()
    return members.filled(place ?? (members.places[0] as Place)).ref
  }
}

/** 32 bits of the key, which also differ for keys that differ little. */
function hashOf(key: string | number): number {
  let hash = 0x811c9dc5
  for (const character of String(key)) hash = Math.imul(hash ^ (character.codePointAt(0) as number), 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}
