// The members of one pool: who fills a place that has become empty, growth under load and shrinking at rest.

import type { Timer } from '../lib/clock.ts'
import type { Cell } from './cell.ts'
import { alive, restarting } from './life-state.ts'

export interface Growth {
  readonly min: number
  readonly max: number
  readonly idleAfterMs: number
}

// A member that has been idle for long enough is found a quarter of that time later at most.
const looksPerIdleTime = 4

/** A member of the pool, and the one that follows it when it has ended by itself. */
export interface Place {
  cell: Cell
  /** Whether it was given up. */
  isGone: boolean
  /** How often in a row it was seen to have done nothing since the look before, and what it had done by then. */
  quietLooks: number
  done: number
}

export class Members {
  readonly places: Place[] = []
  readonly max: number
  readonly #pool: Cell
  readonly #growth: Growth
  readonly #spawn: () => Cell
  #isSpawning = false
  #timer: Timer | undefined

  constructor(pool: Cell, growth: Growth, spawn: () => Cell) {
    this.max = growth.max
    this.#pool = pool
    this.#growth = growth
    this.#spawn = spawn
    while (this.places.length < growth.min) this.grow()
  }

  get living(): number {
    return this.places.filter(({ cell }) => !hasClosed(cell)).length
  }

  /** The first member at or after a place that is not being restarted, or a new one when that has work waiting and there is room. */
  from(index: number): Cell {
    const { places } = this
    let cell = this.filled(places[index] as Place)
    for (let step = 1; cell.state === restarting && step <= places.length; step++)
      cell = this.filled(places[(index + step) % places.length] as Place)
    return this.relieved(cell)
  }

  /** The member at a place; a new one when it has ended or takes no more messages. */
  filled(place: Place): Cell {
    if (hasClosed(place.cell)) place.cell = this.#spawnOne() ?? place.cell
    return place.cell
  }

  /** `cell`, or a new member when it has work waiting and there is room. */
  relieved(cell: Cell): Cell {
    return cell.waiting === 0 ? cell : (this.grow()?.cell ?? cell)
  }

  /** Adds a member when there is room. */
  grow(): Place | undefined {
    const cell = this.places.length < this.max ? this.#spawnOne() : undefined
    if (cell === undefined) return undefined
    const place = { cell, isGone: false, quietLooks: 0, done: 0 }
    this.places.push(place)
    this.#hasChanged()
    return place
  }

  close(): void {
    this.#timer?.cancel()
  }

  /** Race: a constructor may send to its own pool, whose new member is not there yet; then no second one is made. */
  #spawnOne(): Cell | undefined {
    if (this.#isSpawning) return undefined
    this.#isSpawning = true
    try {
      return this.#spawn()
    } finally {
      this.#isSpawning = false
    }
  }

  /** Lets the pool print as its members, and looks after those that may be given up. */
  #hasChanged(): void {
    const { places } = this
    const { min, idleAfterMs } = this.#growth
    this.#pool.className = `${places[0]?.cell.className}×${places.length}`
    if (places.length <= min) return
    const look = (): void => {
      this.#timer = undefined
      this.#shrink()
      this.#hasChanged()
    }
    this.#timer ??= this.#pool.core.clock.after(idleAfterMs / looksPerIdleTime, look, { background: true })
  }

  #shrink(): void {
    for (const place of this.places.toReversed()) {
      const { cell } = place
      const done = cell.processed + cell.failed
      place.quietLooks = done === place.done && loadOf(cell) === 0 ? place.quietLooks + 1 : 0
      place.done = done
      if (place.quietLooks < looksPerIdleTime || this.places.length === this.#growth.min) continue
      place.isGone = true
      this.places.splice(this.places.indexOf(place), 1)
      cell.life.stop()
    }
  }
}

/** What an actor has to do: messages that wait, are under way or were put aside, and unsettled tasks and promises. */
export function loadOf(cell: Cell): number {
  const { life, overlap } = cell
  const aside = life.children === undefined ? 0 : life.belongings.stash.size
  return cell.waiting + aside + cell.active + (overlap?.running.size ?? 0) + (cell.isHolding ? 1 : 0)
}

/** Whether it takes no more messages. */
function hasClosed({ state, life }: Cell): boolean {
  return state !== alive && (state !== restarting || life.isClosing)
}
