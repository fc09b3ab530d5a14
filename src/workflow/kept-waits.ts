// The waits of a run that is not parked, because something of it executes beside them: those that last are stored, so that their times outlive its process.
import type { Activation } from '../engine/activation.ts'
import type { Timer } from '../lib/clock.ts'
import type { WaitRecord } from '../store/waits.ts'
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
  // Of what is waited for, what stands in the store like this; made with the first look.
  #stored: Set<WaitRecord> | undefined
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
    const stored = (this.#stored ??= new Set(this.#activation.claimed.waits))
    const lasting = waits.records.filter((wait) => stored.has(wait) || isLasting(wait, now))
    const unkept = lasting.filter((wait) => !stored.has(wait))
    this.#stored = new Set(lasting)
    if (unkept.length > 0) this.#write(unkept)
  }

  #write(waits: readonly WaitRecord[]): void {
    const activation = this.#activation
    const { held, claimed } = activation
    const paths = (activation.keptWaits ??= new Set(claimed.waits.map(({ path }) => path)))
    for (const { path } of waits) paths.add(path)
    activation.write({ written: () => {} }, [{ list: 'waits', record: { held, waits } }])
  }
}

/** Takes out the paths in a scope; false when there are none. */
export function removeWithin(paths: Set<string> | undefined, scope: string): boolean {
  if (paths === undefined) return false
  const before = paths.size
  for (const path of paths) if (path.startsWith(`${scope}/`)) paths.delete(path)
  return paths.size < before
}

/** What was asked of somebody outside is not asked again, however long that may take. */
function isLasting({ kind, dueAt }: WaitRecord, now: number): boolean {
  return dueAt === null ? kind === 'completion' : dueAt - now > residentMs
}
