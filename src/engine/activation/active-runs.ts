// The activations on this node, found by the number of their run or by the id that users know.
import { deferred, type Deferred } from '../../lib/deferred.ts'
import { Roster } from '../../lib/roster.ts'
import { isSuspect } from '../../model/suspect.ts'
import type { CancelRequested, TakenRun } from '../../store/cancels.ts'
import type { Activation } from './activation.ts'
import type { Deps } from '../deps.ts'
import type { Loss } from './ending.ts'
import { Suspects } from '../membership/suspects.ts'

export class ActiveRuns {
  readonly #roster = new Roster<string, Activation>(({ claimed }) => claimed.id)
  readonly #suspects: Suspects
  #emptied: Deferred<void> | undefined

  /** `freed`: a run may begin that was held up, as the suspected ones are. */
  constructor(deps: Deps, freed: () => void) {
    this.#suspects = new Suspects(deps, freed)
  }

  get size(): number {
    return this.#roster.size
  }

  add(activation: Activation): void {
    this.#roster.add(activation)
    if (isSuspect(activation.claimed.deliveries)) this.#suspects.add(activation)
  }

  /** Takes out this activation; a later one of the same run stays. */
  remove(activation: Activation): void {
    if (isSuspect(activation.claimed.deliveries)) this.#suspects.remove(activation)
    if (!this.#roster.remove(activation) || this.size > 0) return
    this.#emptied?.resolve()
    this.#emptied = undefined
  }

  /** Resolves once there is none, whatever comes after. */
  async whenEmpty(): Promise<void> {
    if (this.size === 0) return
    this.#emptied ??= deferred()
    await this.#emptied.promise
  }

  /** A walk: seldom anybody asks by number. */
  find(runId: number): Activation | undefined {
    return this.all().findLast(({ held }) => held.runId === runId)
  }

  /** Ends what is asked to end. */
  obey(requests: readonly CancelRequested[]): void {
    for (const { runId, reason, skipsUndo } of requests) this.find(runId)?.cancel(reason, skipsUndo)
  }

  /** Gives up what was taken away, and not what was claimed since. */
  giveUp(taken: readonly TakenRun[]): void {
    for (const { runId, epoch } of taken)
      this.all()
        .find(({ held }) => held.runId === runId && held.epoch === epoch)
        ?.lost('resolved')
  }

  loseAll(how: Loss): void {
    for (const activation of this.all()) activation.lost(how)
  }

  findById(id: string): Activation | undefined {
    return this.#roster.find(id)
  }

  /** Somebody told these runs something, of which some may be here. */
  mailed(ids: readonly string[]): void {
    for (const id of ids) this.findById(id)?.mail()
  }

  hasId(id: string): boolean {
    return this.#roster.find(id) !== undefined
  }

  /** Whether no run may begin that is suspected to kill processes: one that is has yet to show that it lives. */
  get holdsUpSuspects(): boolean {
    return this.#suspects.areHeldUp
  }

  ids(): string[] {
    return this.all().map(({ claimed }) => claimed.id)
  }

  /** A copy, so that it may be walked while runs end. */
  all(): Activation[] {
    return this.#roster.all()
  }
}
