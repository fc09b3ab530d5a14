// Who learns that runs failed: whoever waits for them here, people by the log when nobody does, and what their definitions want called.
import type { Expired } from '../../store/due.ts'
import type { GivenUpRun } from '../../store/repairs.ts'
import type { Deps } from '../deps.ts'
import type { FailureCalls } from './failure-calls.ts'
import { expiredText, tellOfFailure, tellOfGivenUp, type Failure } from './failures.ts'
import type { Registry } from '../definition/registry.ts'
import type { Watch } from '../watch/watch.ts'

export class FailureNews {
  readonly #log: Deps['log']
  readonly #registry: Registry
  readonly #watch: Watch
  readonly #calls: FailureCalls

  constructor({ log }: Deps, registry: Registry, to: { readonly watch: Watch; readonly calls: FailureCalls }) {
    this.#log = log
    this.#registry = registry
    this.#watch = to.watch
    this.#calls = to.calls
  }

  /** Of a run that was performed here, whose end is heard besides. */
  failed(failure: Failure): void {
    if (!this.#watch.isAwaited(failure.id)) tellOfFailure(this.#log, failure)
    this.#calls.look()
  }

  /** Of runs that too many processes died under. */
  givenUp(runs: readonly GivenUpRun[], error: Error): void {
    this.#calls.look()
    for (const run of runs) {
      const definition = this.#registry.byId(run.definitionId)
      if (!this.#watch.isAwaited(run.id)) tellOfGivenUp(this.#log, run, { definition, error })
      this.#watch.wake(run.id)
    }
  }

  /** Of runs that nobody performed, and some of which have failed: those that were stale, and those that were taken in. */
  ended(ids: readonly string[]): void {
    this.#calls.look()
    for (const id of ids) this.#watch.wake(id)
  }

  /** Of runs whose time was up while they waited. */
  expired(runs: readonly Expired[]): void {
    this.#calls.look()
    for (const { id, isAwaited } of runs) {
      if (!isAwaited && !this.#watch.isAwaited(id)) this.#log.error({ run: id }, expiredText)
      this.#watch.wake(id)
    }
  }
}
