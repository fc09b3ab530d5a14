// What the queue bench gives to each side: the same runs.
import { stopwatch, wait, type Pace } from '../measure.ts'

/** What a run is given. */
export interface Job {
  readonly i: number
  readonly kind: 'noop'
}

/** What a run gives back. */
export interface Done {
  readonly ok: true
  readonly i: number
}

/** One figure of one side. */
export interface Row {
  /** What is done: rows of the same name are compared. */
  readonly what: string
  /** Who does it. */
  readonly who: string
  /** Throws when it was not done as often as it should. */
  measure(): Promise<Pace>
}

export const jobOf = (i: number): Job => ({ i, kind: 'noop' })

export const doneOf = ({ i }: Job): Done => ({ ok: true, i })

/** Calls `add` with the jobs from 0 below `count`, at most `most` at a time. */
export async function inSlices(count: number, most: number, add: (jobs: Job[]) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < count; from += most)
    await add(Array.from({ length: Math.min(most, count - from) }, (_, i) => jobOf(from + i)))
}

/** How long it takes from a start to its handler, one after another. */
export class Beginnings {
  #began: () => void = () => {}

  /** A handler has begun. */
  began(): void {
    this.#began()
  }

  /** Milliseconds of each of `count` starts, with `restMs` between them. */
  async after(start: (job: Job) => Promise<unknown>, count: number, restMs: number): Promise<number[]> {
    const times: number[] = []
    for (let i = 0; i < count; i++) {
      const startedAt = performance.now()
      const begun = new Promise<void>((resolve) => {
        this.#began = resolve
      })
      await start(jobOf(i))
      await begun
      times.push(performance.now() - startedAt)
      await wait(restMs)
    }
    return times
  }
}

/** Counts the runs that begin and end: the pace is that from the first begin to the last end. */
export class Tally {
  readonly #count: number
  #done = 0
  #stop: ((count: number) => Pace) | undefined
  #pace: Pace | undefined
  #tell: (pace: Pace) => void = () => {}

  constructor(count: number) {
    this.#count = count
  }

  begins(): void {
    this.#stop ??= stopwatch()
  }

  ends(): void {
    this.#done += 1
    if (this.#done !== this.#count || this.#stop === undefined) return
    this.#pace = this.#stop(this.#count)
    this.#tell(this.#pace)
  }

  all(): Promise<Pace> {
    if (this.#pace !== undefined) return Promise.resolve(this.#pace)
    return new Promise((resolve) => {
      this.#tell = resolve
    })
  }
}
