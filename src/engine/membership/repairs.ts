// The sweep of a node: looks at a few unfinished runs with every beat, and mends what nobody would ever wake.
import type { Counts } from '../counts.ts'
import type { Deps } from '../deps.ts'

// Measured: a slice of so many runs that wait takes 5 ms; a million of them are gone through in three quarters of an hour.
const runsAtOnce = 2_000

// The answer of a commit reaches a busy process by then. Between two sweeps a second counts at most: the process may have been paused.
const heardWithinMs = 2_000
const mostBetweenMs = 1_000

export interface RepairsOptions {
  readonly node: { readonly nodeId: number }
  readonly counts: Counts
  readonly isHeld: (runId: number) => boolean
  /** Something may have become ready. */
  readonly hint: () => void
}

export class Repairs {
  readonly #deps: Deps
  readonly #options: RepairsOptions
  #after = 0
  // Time as it passes for a process that is not paused.
  #awakeMs = 0
  #sweptAt: number | undefined
  // Runs of this node that it does not know of, and since when.
  readonly #unknown = new Map<number, number>()

  constructor(deps: Deps, options: RepairsOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** Looks at the next slice; after the last it begins anew. */
  async sweep(): Promise<void> {
    const { node, counts, hint } = this.#options
    const { store, log } = this.#deps
    const slice = { after: this.#after, limit: runsAtOnce, nodeId: node.nodeId }
    const { mended, through, held } = await store.repairRuns(slice)
    this.#after = through
    const slots = await store.repairLimiters()
    const unheld = await this.#releaseUnheld(held)
    const all = mended + slots + unheld
    if (all === 0) return
    counts.repaired += all
    log.warn(
      { runs: mended, slots, unheld },
      `mended ${all} ${all === 1 ? 'thing' : 'things'} that nobody would have come back to`,
    )
    hint()
  }

  /** Race: a claim that was just written has yet to be heard of here, so only what stays unknown for a while is given back. */
  async #releaseUnheld(held: readonly number[]): Promise<number> {
    const { node, isHeld } = this.#options
    const now = this.#awake()
    for (const runId of this.#unknown.keys()) if (isHeld(runId)) this.#unknown.delete(runId)
    if (this.#unknown.size > runsAtOnce) this.#unknown.clear()
    const lost: number[] = []
    for (const runId of held) {
      if (isHeld(runId)) continue
      const since = this.#unknown.get(runId)
      if (since === undefined) this.#unknown.set(runId, now)
      else if (now - since >= heardWithinMs) lost.push(runId)
    }
    if (lost.length === 0) return 0
    for (const runId of lost) this.#unknown.delete(runId)
    const given = new Set(lost)
    return this.#deps.store.releaseUnheld(node.nodeId, (runId) => !given.has(runId) || isHeld(runId))
  }

  #awake(): number {
    const now = this.#deps.clock.monotonic()
    this.#awakeMs += Math.min(now - (this.#sweptAt ?? now), mostBetweenMs)
    this.#sweptAt = now
    return this.#awakeMs
  }
}
