// How fast progress is, over the last few seconds.

interface Sample {
  readonly at: number
  readonly done: number
}

const windowMs = 5_000
// Before that the figure would jump.
const leastMs = 300

export class Rate {
  #samples: Sample[] = []

  /** Takes how far the work is at a time, both rising; work that starts again from less is measured anew. */
  sample(at: number, done: number): void {
    const latest = this.#samples.at(-1)
    if (latest !== undefined && done < latest.done) this.#samples = []
    this.#samples.push({ at, done })
    // The newest sample before the window stays, so that slow work has a rate too.
    while ((this.#samples[1]?.at ?? Infinity) < at - windowMs) this.#samples.shift()
  }

  /** Units a second; undefined while it is too early to tell. */
  perSecond(): number | undefined {
    const first = this.#samples[0]
    const last = this.#samples.at(-1)
    if (first === undefined || last === undefined || last.at - first.at < leastMs) return undefined
    return ((last.done - first.done) * 1000) / (last.at - first.at)
  }
}
