// Which member of a pool a message goes to.

import type { Cell } from './cell.ts'
import { restarting } from './life-state.ts'
import { loadOf } from './pool-members.ts'
import type { Members, Place } from './pool-members.ts'

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
export interface Router {
  pick(name: string, payload: unknown): Cell
}

export class RoundRobin implements Router {
  readonly #members: Members
  #next = 0

  constructor(members: Members) {
    this.#members = members
  }

  pick(): Cell {
    const index = this.#next < this.#members.places.length ? this.#next : 0
    this.#next = index + 1
    return this.#members.from(index)
  }
}

export class LeastBusy implements Router {
  readonly #members: Members

  constructor(members: Members) {
    this.#members = members
  }

  pick(): Cell {
    const { places } = this.#members
    let best: Cell | undefined
    let least = Infinity
    for (const place of places) {
      const cell = this.#members.filled(place)
      // One that is being restarted comes after all others.
      const load = loadOf(cell) + (cell.state === restarting ? Number.MAX_SAFE_INTEGER / 2 : 0)
      if (load < least) {
        best = cell
        least = load
      }
      if (load === 0) break
    }
    return this.#members.relieved(best as Cell)
  }
}

export class Random implements Router {
  readonly #members: Members
  readonly #random: () => number

  constructor(members: Members, random: () => number) {
    this.#members = members
    this.#random = random
  }

  pick(): Cell {
    const { length } = this.#members.places
    return this.#members.from(Math.floor(this.#random() * length) % length)
  }
}

/** The keys that always go together. */
interface Slot {
  place: Place
  /** How often its place had rested when it got the last message of this slot. */
  rests: number
}

const slotsPerMember = 16
const unused = -1

export class HashOfKey implements Router {
  readonly #members: Members
  readonly #key: Key
  readonly #slots: (Slot | undefined)[]

  constructor(members: Members, key: Key) {
    this.#members = members
    this.#key = key
    this.#slots = Array.from({ length: members.max * slotsPerMember })
  }

  pick(name: string, payload: unknown): Cell {
    const members = this.#members
    const { places } = members
    const hash = hashOf(this.#key(name, payload))
    // The common case: a place that never changes.
    if (members.areFixed) return members.filled(places[hash % places.length] as Place)
    const index = hash % this.#slots.length
    const slot = (this.#slots[index] ??= { place: places[index % places.length] as Place, rests: unused })
    this.#bringHome(slot, index)
    if (members.filled(slot.place).waiting > 0 && !members.areAll) {
      members.grow()
      this.#bringHome(slot, index)
    }
    const { place } = slot
    if (loadOf(place.cell) === 0) place.rests++
    slot.rests = place.rests
    return members.filled(place)
  }

  /** Invariant: a slot moves only while nothing of it is left where it was, so the messages of one key stay in order. */
  #bringHome(slot: Slot, index: number): void {
    const { places } = this.#members
    const home = places[index % places.length] as Place
    if (slot.place === home || isPending(slot)) return
    slot.place = home
    slot.rests = unused
  }
}

function isPending({ place, rests }: Slot): boolean {
  return !place.isGone && rests === place.rests && loadOf(place.cell) > 0
}

/** 32 bits of the key, which also differ for keys that differ little. */
function hashOf(key: string | number): number {
  const text = String(key)
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}
