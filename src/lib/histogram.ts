// Durations, counted in buckets whose width grows with the duration, so that a few hundred numbers tell any percentile within a tenth.

const bucketsPerDoubling = 8
const smallest = 0.001
const buckets = bucketsPerDoubling * 36

export class Histogram {
  readonly #counts = new Float64Array(buckets)
  #count = 0
  #max = 0

  get count(): number {
    return this.#count
  }

  get max(): number {
    return this.#max
  }

  /** Counts one value; below a thousandth all are alike. */
  add(value: number): void {
    const index = value <= smallest ? 0 : Math.ceil(Math.log2(value / smallest) * bucketsPerDoubling)
    const bucket = Math.min(index, buckets - 1)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#count++
    if (value > this.#max) this.#max = value
  }

  /** The value that the share `quantile` (0 to 1) of all values does not exceed, rounded up by less than a tenth; 0 when there is none. */
  quantile(quantile: number): number {
    const rank = Math.max(1, Math.ceil(quantile * this.#count))
    let below = 0
    for (let bucket = 0; bucket < buckets && this.#count > 0; bucket++) {
      below += this.#counts[bucket] ?? 0
      if (below >= rank) return Math.min(this.#max, smallest * 2 ** (bucket / bucketsPerDoubling))
    }
    return 0
  }
}
