// What was kept long enough is deleted: a slice at a time, with pauses, so that whatever runs does not feel it.
import { Actor } from '../../actor/actor.ts'
import { isTroupeError } from '../../lib/errors.ts'
import type { DeletionRules } from '../../store/retention.ts'
import type { IdleTemplates } from '../../store/templates.ts'
import type { Counts } from '../counts.ts'
import type { Deps } from '../deps.ts'

// Runs looked at in one transaction, and rows of other kinds deleted.
const slice = 200
// From the end of a pass to the next, for all nodes together.
const pauseMs = 60_000
// A node deletes for at most a fifth of the time.
const restFactor = 4
const leastRestMs = 20
// What a template says is kept for so long after somebody last had it.
const idleMs = 7 * 86_400_000
// So many runs are looked at for those of such templates.
const lookedAt = 2_000

export class Janitor extends Actor {
  readonly #deps: Deps
  readonly #counts: Counts
  readonly #kept: Pick<DeletionRules, 'defaults' | 'beside'>
  #idle: IdleTemplates | undefined

  constructor(deps: Deps, counts: Counts, kept: Pick<DeletionRules, 'defaults' | 'beside'>) {
    super()
    this.#deps = deps
    this.#counts = counts
    this.#kept = kept
  }

  override started(): void {
    this.#after(pauseMs)
  }

  #after(delayMs: number): void {
    this.ctx.after(delayMs, () => this.#turn())
  }

  async #turn(): Promise<void> {
    let restMs = pauseMs
    try {
      restMs = Math.min(await this.#deleteSlice(), await this.#deleteTemplates())
    } catch (error) {
      // The work of this node ends for that, and the log says so.
      if (isTroupeError(error, 'store_newer')) return
      this.#deps.log.error({ err: error }, 'deleting what was kept long enough failed')
    }
    this.#after(restMs)
  }

  /** Returns how long to rest. */
  async #deleteSlice(): Promise<number> {
    const { store, clock } = this.#deps
    if (!(await store.retention.isDue())) return pauseMs
    const startedAt = clock.monotonic()
    const { runs, audit, events, isPassOver } = await store.retention.deleteExpired({
      ...this.#kept,
      limit: slice,
      pauseMs,
    })
    const { deleted } = this.#counts
    deleted.runs += runs
    deleted.audit += audit
    deleted.events += events
    if (isPassOver) this.#counts.retentionPasses += 1
    if (runs > 0)
      this.#deps.log.debug({ runs }, `deleted ${runs} ${runs === 1 ? 'run' : 'runs'} that were kept long enough`)
    return isPassOver ? pauseMs : this.#restAfter(startedAt)
  }

  /** The same: a piece of the search for runs of templates that nobody has had for long. */
  async #deleteTemplates(): Promise<number> {
    const { store, clock } = this.#deps
    const startedAt = clock.monotonic()
    const rules = { before: Math.floor(store.now() - idleMs), limit: lookedAt }
    const idle = this.#idle ?? (await store.templates.findIdle(rules))
    this.#idle = undefined
    if (idle.definitionIds.length === 0) return pauseMs
    this.#idle = await store.templates.deleteIdle(idle, rules)
    return this.#restAfter(startedAt)
  }

  #restAfter(startedAt: number): number {
    return Math.max(leastRestMs, restFactor * (this.#deps.clock.monotonic() - startedAt))
  }
}
