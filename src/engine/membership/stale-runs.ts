// Looks, with the beats of a node, for runs that have been in one state for longer than their definition allows.
import { stalenessOf, shortestOf, type LifecycleRules, type Staleness } from '../../model/lifecycle.ts'
import { runStale } from '../../model/time-errors.ts'
import type { AgeingRun, StaleRecord } from '../../store/investigations.ts'
import type { Deps } from '../deps.ts'
import { errorText } from '../error-text.ts'

// As the sweep: a slice is short beside a beat.
const runsAtOnce = 2_000
// More is forgotten, and looked at again.
const mostRemembered = 10_000

export interface StaleRunsOptions {
  /** The rules of the definitions of this node that have any, by their numbers. */
  readonly lifecycles: () => ReadonlyMap<number, LifecycleRules>
  /** These runs have failed of it. */
  readonly failed: (ids: readonly string[]) => void
}

interface Stale {
  readonly run: AgeingRun
  readonly rules: LifecycleRules
  readonly staleness: Staleness
}

export class StaleRuns {
  readonly #deps: Deps
  readonly #options: StaleRunsOptions
  #after = 0
  /** When a run may be stale at the earliest. */
  readonly #notBefore = new Map<number, number>()

  constructor(deps: Deps, options: StaleRunsOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** Looks at the next slice; after the last it begins anew. Where no definition sets limits nothing is asked. */
  async look(): Promise<void> {
    const lifecycles = this.#options.lifecycles()
    if (lifecycles.size === 0) return
    const { investigations, now } = this.#store()
    const slice = { definitionIds: [...lifecycles.keys()], after: this.#after, limit: runsAtOnce }
    const { runs, through } = await investigations.listAgeing(slice)
    this.#after = through
    const old = runs.filter((run) => this.#mayBeStale(run, lifecycles, now))
    if (old.length === 0) return
    const heard = await investigations.listSigns(old.map(({ runId }) => runId))
    const stale = old.flatMap((run): Stale[] => {
      const rules = lifecycles.get(run.definitionId)
      const heardAt = heard.get(run.runId)
      if (rules === undefined || heardAt === undefined) return []
      const staleness = stalenessOf(rules, { ...run, heardAt }, now)
      this.#remember(run.runId, shortestOf(rules) + (staleness === undefined ? heardAt : now))
      return staleness === undefined ? [] : [{ run, rules, staleness }]
    })
    await this.#declare(stale)
  }

  async #declare(stale: readonly Stale[]): Promise<void> {
    if (stale.length === 0) return
    const told = await this.#deps.store.investigations.declareStale(stale.map(recordOf))
    const declared = stale.filter((_, index) => told[index])
    for (const each of declared) this.#tell(each)
    const failed = declared.filter(({ rules }) => rules.fails).map(({ run }) => run.id)
    if (failed.length > 0) this.#options.failed(failed)
  }

  #tell({ run, rules, staleness }: Stale): void {
    const error = runStale(run.name, staleness)
    const { log } = this.#deps
    if (rules.fails) log.error({ run: run.id }, error.message)
    else log.warn({ run: run.id }, error.message)
  }

  #mayBeStale(
    { runId, definitionId, openedAt }: AgeingRun,
    lifecycles: ReadonlyMap<number, LifecycleRules>,
    now: number,
  ): boolean {
    const rules = lifecycles.get(definitionId)
    return rules !== undefined && Math.max(this.#notBefore.get(runId) ?? 0, openedAt + shortestOf(rules)) <= now
  }

  #remember(runId: number, at: number): void {
    if (this.#notBefore.size >= mostRemembered) this.#notBefore.clear()
    this.#notBefore.set(runId, at)
  }

  #store() {
    const { store } = this.#deps
    return { investigations: store.investigations, now: store.now() }
  }
}

function recordOf({ run, rules, staleness }: Stale): StaleRecord {
  const { runId, generation, state, name } = run
  const { since, limit } = staleness
  const value = rules.fails ? errorText(runStale(name, staleness)) : null
  return { runId, generation, state, since, limit, isInvestigated: rules.isInvestigated, value }
}
