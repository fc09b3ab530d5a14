// The waits of a run that is not parked, because something of it executes beside them: those that last are stored, so that their times outlive its process.
import type { Activation } from '../../engine/activation/activation.ts'
import type { Timer } from '../../lib/clock.ts'
import type { WaitRecord } from '../../store/waits.ts'
import { residentMs, type Waits } from './waits.ts'

// Most runs are parked by then, which stores their waits.
const keptAfterMs = 1_000

export interface KeptWaitsOptions {
  readonly waits: Waits
  /** Something of the run executes, or is being written or looked for. */
  readonly isBusy: () => boolean
}

export class KeptWaits {
  readonly #activation: Activation
  readonly #options: KeptWaitsOptions
  // How many there had ever been at the last look.
  #lookedAt = 0
  #timer: Timer | undefined
  #since = 0

  constructor(activation: Activation, options: KeptWaitsOptions) {
    this.#activation = activation
    this.#options = options
  }

  /** The run is not parked now. */
  soon(): void {
    if (this.#timer !== undefined || this.#options.waits.addedCount === this.#lookedAt) return
    this.#since = this.#activation.deps.clock.monotonic()
    this.#lookIn(keptAfterMs)
  }

  over(): void {
    this.#timer?.cancel()
  }

  #lookIn(delayMs: number): void {
    this.#timer = this.#activation.deps.clock.after(delayMs, () => this.#look(), { background: true })
  }

  #look(): void {
    this.#timer = undefined
    const { waits, isBusy } = this.#options
    const stayedMs = this.#activation.deps.clock.monotonic() - this.#since
    // Unless something comes for it, it is parked then.
    if (!isBusy() && stayedMs < residentMs) return this.#lookIn(residentMs - stayedMs)
    this.#lookedAt = waits.addedCount
    const now = this.#activation.deps.store.now()
    const kept = keptOf(this.#activation)
    const unkept = waits.records.filter((wait) => kept?.get(wait.path) !== wait && isLasting(wait, now))
    if (unkept.length > 0) keepWaits(this.#activation, unkept)
  }
}

/** Stores what is waited for though the run goes on. */
export function keepWaits(activation: Activation, waits: readonly WaitRecord[]): void {
  keptOf(activation)
  const kept = (activation.keptWaits ??= new Map())
  for (const wait of waits) kept.set(wait.path, wait)
  activation.write({ written: () => {} }, [{ list: 'waits', record: { held: activation.held, waits } }])
}

/** What stands in the store; at first what the claim brought. */
export function keptOf(activation: Activation): ReadonlyMap<string, WaitRecord> | undefined {
  const { waits } = activation.claimed
  if (waits.length > 0) activation.keptWaits ??= new Map(waits.map((wait) => [wait.path, wait]))
  return activation.keptWaits
}

/** Takes out what is in a scope; false when there is nothing. */
export function removeWithin(kept: Map<string, WaitRecord> | undefined, scope: string): boolean {
  if (kept === undefined) return false
  const before = kept.size
  for (const path of kept.keys()) if (path.startsWith(`${scope}/`)) kept.delete(path)
  return kept.size < before
}

/** What was asked of somebody outside is not asked again, however long that may take. */
function isLasting({ kind, dueAt }: WaitRecord, now: number): boolean {
  return dueAt === null ? kind === 'completion' : dueAt - now > residentMs
}
