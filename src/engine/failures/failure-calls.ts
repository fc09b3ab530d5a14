// onFailure: the code of a definition is told of each of its runs that ended as failed, at least once, whoever ended it.
import { decode, decodeError } from '../../lib/codec.ts'
import { formatMs } from '../../lib/duration.ts'
import { toError } from '../../lib/errors.ts'
import { Lookout } from '../../lib/lookout.ts'
import { reviveError } from '../../model/error-classes.ts'
import type { FailureKey, FailureRow } from '../../store/failures.ts'
import type { NodeState } from '../committer.ts'
import type { AnyDefinition, RunFailure } from '../definition/definition.ts'
import type { Deps } from '../deps.ts'
import { isDoneWithin } from '../in-time.ts'
import type { Registry } from '../definition/registry.ts'

const longestMs = 30_000
// An engine that stops waits no longer for those that run.
const lastMs = 3_000
// With every hint lost, what others left to be told is found by then.
const backstopMs = 1_000
// Invariant: I15. So many are called at a time.
const atOnce = 20
// What was under way in so many processes when they died may be what killed them.
const mostDeaths = 3

export interface FailureCallsOptions {
  readonly registry: Registry
  readonly node: NodeState
}

export class FailureCalls {
  readonly #deps: Deps
  readonly #registry: Registry
  readonly #node: NodeState
  readonly #lookout: Lookout
  readonly #underWay = new Set<Promise<void>>()
  #told: FailureKey[] = []
  #isServing = false

  constructor(deps: Deps, { registry, node }: FailureCallsOptions) {
    this.#deps = deps
    this.#registry = registry
    this.#node = node
    this.#lookout = new Lookout({
      clock: deps.clock,
      isNeeded: () => this.#isServing,
      look: () => this.#takeAll(),
      backstopMs,
      background: true,
    })
  }

  /** From now on this node tells what nobody has told yet. */
  serve(): void {
    this.#isServing = true
    this.#lookout.look()
  }

  /** A run may have failed whose definition wants to know. */
  look(): void {
    if (this.#wishing().length > 0) this.#lookout.look()
  }

  /** Tells what is there and no more; waits for it a while. What is not told by then is told by another process, or by the next. */
  async close(withinMs: number): Promise<void> {
    this.look()
    const quiet = async (): Promise<void> => {
      while (this.#lookout.isLooking || this.#underWay.size > 0)
        await Promise.all([this.#lookout.rested, ...this.#underWay])
    }
    await isDoneWithin(this.#deps.clock, Math.min(withinMs, lastMs), quiet())
    this.#isServing = false
    this.#lookout.end()
  }

  #wishing(): number[] {
    return this.#registry.ids().filter((id) => this.#registry.byId(id)?.settings.onFailure !== undefined)
  }

  /** take → tell → drop */
  async #takeAll(): Promise<void> {
    const definitionIds = this.#wishing()
    if (definitionIds.length === 0) return
    try {
      await this.#drop()
      const limit = atOnce - this.#underWay.size
      if (limit === 0) return
      const { store } = this.#deps
      const slice = { nodeId: this.#node.nodeId, definitionIds, limit }
      for (const row of await store.failures.take(slice)) {
        const told = this.#tell(row).finally(() => {
          this.#underWay.delete(told)
          this.look()
        })
        this.#underWay.add(told)
      }
    } catch (error) {
      if (this.#isServing) this.#deps.log.warn({ err: toError(error) }, 'looking for runs that failed did not work')
    }
  }

  async #tell(row: FailureRow): Promise<void> {
    const definition = this.#registry.byId(row.definitionId)
    if (row.taken > mostDeaths) {
      const text = `onFailure of '${definition?.name}' is given up: ${mostDeaths} processes died while they ran it`
      this.#deps.log.error({ run: row.id }, text)
    } else if (definition !== undefined) {
      await callOnFailure(this.#deps, definition, () => ({
        error: decodeError(row.value, reviveError),
        input: decode(row.input),
        runId: row.id,
        attempt: row.attempt,
      }))
    }
    this.#told.push({ runId: row.runId, generation: row.generation })
  }

  async #drop(): Promise<void> {
    if (this.#told.length === 0) return
    const told = this.#told
    this.#told = []
    try {
      await this.#deps.store.failures.drop(told)
    } catch (error) {
      this.#told.push(...told)
      throw error
    }
  }
}

/** Calls it for a run that failed; what it throws is logged, and so is that it takes too long. Never rejects. */
export async function callOnFailure(
  { clock, log }: Pick<Deps, 'clock' | 'log'>,
  { name, settings }: AnyDefinition,
  failureOf: () => RunFailure,
): Promise<void> {
  let runId: string | undefined
  try {
    const failure = failureOf()
    runId = failure.runId
    const call = async (): Promise<unknown> => settings.onFailure?.(failure)
    if (await isDoneWithin(clock, longestMs, call())) return
    log.error({ run: runId }, `onFailure of '${name}' did not end within ${formatMs(longestMs)}`)
  } catch (error) {
    const { message } = toError(error)
    log.error({ run: runId, err: toError(error) }, `onFailure of '${name}' failed: ${message}`)
  }
}
