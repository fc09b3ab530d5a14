// The runs performed here that may be what kills processes: while one of them is on trial no other is begun.
import type { Timer } from '../../lib/clock.ts'
import { formatMs } from '../../lib/duration.ts'
import { trialOf } from '../../model/suspect.ts'
import type { Activation } from '../activation/activation.ts'
import type { Deps } from '../deps.ts'

// Those that come within this are of one phase, which is told once.
const phaseMs = 60_000

export class Suspects {
  readonly #deps: Deps
  readonly #freed: () => void
  readonly #onTrial = new Map<Activation, Timer>()
  #lastAtMs = -Infinity

  /** `freed`: another one may be begun. */
  constructor(deps: Deps, freed: () => void) {
    this.#deps = deps
    this.#freed = freed
  }

  get areHeldUp(): boolean {
    return this.#onTrial.size > 0
  }

  add(activation: Activation): void {
    const ms = trialOf(activation.claimed.deliveries)
    this.#tell(activation, ms)
    const timer = this.#deps.clock.after(ms, () => this.#passed(activation), { background: true })
    this.#onTrial.set(activation, timer)
  }

  remove(activation: Activation): void {
    this.#onTrial.get(activation)?.cancel()
    this.#onTrial.delete(activation)
    this.#lastAtMs = this.#deps.clock.monotonic()
  }

  #passed(activation: Activation): void {
    this.remove(activation)
    this.#freed()
  }

  #tell({ claimed, definition }: Activation, ms: number): void {
    if (this.areHeldUp || this.#deps.clock.monotonic() - this.#lastAtMs < phaseMs) return
    const { id, deliveries } = claimed
    this.#deps.log.warn(
      { run: id, worker: definition.name, deliveries },
      `${deliveries} processes died while they ran a run of '${definition.name}': such runs are begun one at a time here, each once the one before has ended or run for ${formatMs(ms)}`,
    )
  }
}
