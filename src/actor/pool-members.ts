// The members of one pool: who fills a place that has become empty, growth under load and shrinking at rest.

import type { Timer } from '../lib/clock.ts'
import type { Actor } from './actor.ts'
import type { Cell } from './cell.ts'
import { alive, restarting } from './life-state.ts'
import { Protocol } from './protocol.ts'

export interface Growth {
  readonly min: number
  readonly max: number
  readonly idleAfterMs: number
}

// A member that has been idle for long enough is found a quarter of that time later at most.
const looksPerIdleTime = 4

/** A member of the pool, and the one that follows it when it has ended by itself. */
export class Place {
  cell: Cell
  /** Whether it was given up. */
  isGone = false
  /** Grows whenever it was found with nothing to do. */
  rests = 0
  #quietSinceMs: number
  #doneWhenQuiet = 0

  constructor(cell: Cell) {
    this.cell = cell
    this.#quietSinceMs = cell.core.clock.monotonic()
  }

  /** How long it has had nothing to do, as far as was seen when it was looked at. */
  quietMs(nowMs: number): number {
    const done = this.cell.processed + this.cell.failed
    if (done !== this.#doneWhenQuiet || loadOf(this.cell) > 0) {
      this.#doneWhenQuiet = done
      this.#quietSinceMs = nowMs
    }
    return nowMs - this.#quietSinceMs
  }
}

export class Members {
  readonly places: Place[] = []
  readonly #pool: Cell
  readonly #growth: Growth
  readonly #spawn: () => Cell
  #isSpawning = false
  #timer: Timer | undefined

  constructor(pool: Cell, growth: Growth, spawn: () => Cell) {
    this.#pool = pool
    this.#growth = growth
    this.#spawn = spawn
    // Its own says nothing of what the members can be sent.
    pool.protocol = undefined
    while (this.places.length < growth.min) this.grow()
  }

  get living(): number {
    return this.places.filter(({ cell }) => !hasClosed(cell)).length
  }

  get max(): number {
    return this.#growth.max
  }

  get areFixed(): boolean {
    return this.#growth.min === this.#growth.max
  }

  /** Whether there are as many members as there will ever be. */
  get areAll(): boolean {
    return this.places.length >= this.#growth.max
  }

  /** The first member at or after a place that is not being restarted, or a new one when that has work waiting and there is room. */
  from(index: number): Cell {
    const place = this.places[index]
    // The common case.
    if (place !== undefined && this.areAll && place.cell.state === alive) return place.cell
    return this.relieved(this.#searched(index))
  }

  /** The member at a place; a new one when it has ended or takes no more messages. */
  filled(place: Place): Cell {
    if (hasClosed(place.cell)) this.#spawnSafely((cell) => (place.cell = cell))
    return place.cell
  }

  /** `cell`, or a new member when it has work waiting and there is room. */
  relieved(cell: Cell): Cell {
    return cell.waiting === 0 || this.areAll ? cell : (this.grow()?.cell ?? cell)
  }

  grow(): Place | undefined {
    const place = this.#spawnSafely((cell) => new Place(cell))
    if (place === undefined) return undefined
    this.places.push(place)
    this.#describe()
    this.#lookLater()
    return place
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** Race: a constructor may send to its own pool, whose new member is not there yet; then no second one is made. */
  #spawnSafely<T>(use: (cell: Cell) => T): T | undefined {
    if (this.#isSpawning) return undefined
    this.#isSpawning = true
    try {
      return use(this.#spawn())
    } finally {
      this.#isSpawning = false
    }
  }

  #searched(index: number): Cell {
    const { places } = this
    const first = this.filled(places[index] as Place)
    let cell = first
    for (let step = 1; cell.state === restarting && step < places.length; step++)
      cell = this.filled(places[(index + step) % places.length] as Place)
    return cell.state === restarting ? first : cell
  }

  #lookLater(): void {
    const { min, idleAfterMs } = this.#growth
    if (this.#timer !== undefined || this.places.length <= min) return
    const look = (): void => {
      this.#timer = undefined
      this.#shrink()
      this.#lookLater()
    }
    this.#timer = this.#pool.core.clock.after(idleAfterMs / looksPerIdleTime, look, { background: true })
  }

  #shrink(): void {
    const nowMs = this.#pool.core.clock.monotonic()
    for (const place of this.places.toReversed()) {
      const isQuiet = place.quietMs(nowMs) >= this.#growth.idleAfterMs
      if (isQuiet && this.places.length > this.#growth.min) this.#giveUp(place)
    }
  }

  #giveUp(place: Place): void {
    place.isGone = true
    this.places.splice(this.places.indexOf(place), 1)
    this.#describe()
    place.cell.life.stop()
  }

  /** Lets the pool print as its members, and `stub` find what they can be sent. */
  #describe(): void {
    const { className, protocol, actor } = (this.places[0] as Place).cell
    this.#pool.className = `${className}×${this.places.length}`
    if (this.#pool.protocol === undefined && protocol !== undefined && actor !== undefined)
      this.#pool.protocol = protocol.ownNames(actor).length === 0 ? protocol : new MemberProtocol(actor)
  }
}

/** The protocol of a class of which every object has handlers of its own: those count as its methods. */
class MemberProtocol extends Protocol {
  readonly #member: Actor

  constructor(member: Actor) {
    super(Object.getPrototypeOf(member) as object)
    this.#member = member
  }

  override names(): string[] {
    return [...super.names(), ...super.ownNames(this.#member)]
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
