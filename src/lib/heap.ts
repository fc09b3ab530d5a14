// A binary heap: hands out the smallest item first.

export class Heap<T> {
  readonly #items: T[] = []
  readonly #compare: (a: T, b: T) => number

  /** `compare` returns less than zero when its first argument comes out first, as for `Array.sort`. */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare
  }

  get size(): number {
    return this.#items.length
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    this.#items.push(item)
    this.#rise(this.#items.length - 1, item)
  }

  pop(): T | undefined {
    return this.#takeAt(0)
  }

  /** Takes `item` out wherever it is and tells whether it was there; looks through all items to find it. */
  remove(item: T): boolean {
    const index = this.#items.indexOf(item)
    if (index < 0) return false
    this.#takeAt(index)
    return true
  }

  #takeAt(index: number): T | undefined {
    const taken = this.#items[index]
    const last = this.#items.pop()
    if (last === undefined || index === this.#items.length) return taken
    this.#sink(index, last)
    if (this.#items[index] === last) this.#rise(index, last)
    return taken
  }

  #rise(start: number, item: T): void {
    let index = start
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = this.#items[above] as T
      if (this.#compare(item, parent) >= 0) break
      this.#items[index] = parent
      index = above
    }
    this.#items[index] = item
  }

  #sink(start: number, item: T): void {
    const { length } = this.#items
    let index = start
    for (let below = 2 * index + 1; below < length; below = 2 * index + 1) {
      const right = below + 1
      if (right < length && this.#compare(this.#items[right] as T, this.#items[below] as T) < 0) below = right
      const child = this.#items[below] as T
      if (this.#compare(item, child) <= 0) break
      this.#items[index] = child
      index = below
    }
    this.#items[index] = item
  }
}
