// A first-in, first-out queue that takes no memory until it is used and doubles as it fills.

const smallestSlots = 4
const keptSlots = 1024

// Shared by all rings that hold nothing yet; it is replaced, never written to.
const noSlots: never[] = []

/** A queue with constant-time ends. One that grew past 1,024 slots gives them back when it empties. */
export class Ring<T> {
  #slots: (T | undefined)[] = noSlots
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  push(item: T): void {
    if (this.#size === this.#slots.length) this.#grow()
    this.#slots[(this.#head + this.#size) & (this.#slots.length - 1)] = item
    this.#size++
  }

  /** Puts an item before all others. */
  unshift(item: T): void {
    if (this.#size === this.#slots.length) this.#grow()
    this.#head = (this.#head - 1) & (this.#slots.length - 1)
    this.#slots[this.#head] = item
    this.#size++
  }

  /** The oldest item, left where it is; undefined when there is none. */
  peek(): T | undefined {
    return this.#size === 0 ? undefined : this.#slots[this.#head]
  }

  /** The item that came `index` after the oldest, left where it is. */
  at(index: number): T | undefined {
    return index >= 0 && index < this.#size ? this.#slots[(this.#head + index) & (this.#slots.length - 1)] : undefined
  }

  /** Takes the oldest item out; undefined when there is none. */
  shift(): T | undefined {
    if (this.#size === 0) return undefined
    const item = this.#slots[this.#head]
    this.#slots[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#slots.length - 1)
    this.#size--
    if (this.#size === 0 && this.#slots.length > keptSlots) this.#slots = noSlots
    return item
  }

  #grow(): void {
    const old = this.#slots
    const slots = new Array<T | undefined>(Math.max(smallestSlots, old.length * 2)).fill(undefined)
    for (let index = 0; index < this.#size; index++) slots[index] = old[(this.#head + index) & (old.length - 1)]
    this.#slots = slots
    this.#head = 0
  }
}
