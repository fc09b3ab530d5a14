// Who in this process waits for the answer of which run: told at once when that is here, and looked for in the store otherwise.
import type { Clock, Timer } from '../../lib/clock.ts'
import { toError } from '../../lib/errors.ts'
import type { AskEnd, AskStore } from '../../store/asks.ts'
import type { Changes } from '../watch/changes.ts'

// With every hint lost, an answer arrives by then.
const backstopMs = 500
// Those who wait ask the store together, and not with every write of others.
const lookAfterMs = 5
// In one statement.
const mostAtOnce = 500

/** What came, or why nothing will. */
type Came = AskEnd | 'late' | Error

export interface RepliesOptions {
  readonly clock: Clock
  readonly changes: Changes
  readonly asks: Pick<AskStore, 'listEnds'>
}

export class Replies {
  readonly #options: RepliesOptions
  readonly #waiting = new Map<number, (came: Came) => void>()
  readonly #changed = { isAwaited: true, changed: (): void => this.look() }
  #next: { readonly at: number; readonly timer: Timer } | undefined
  #isLooking = false
  #end: Error | undefined

  constructor(options: RepliesOptions) {
    this.#options = options
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size
  }

  /** The answer to an ask; `late` when its time was up first. Rejects when nothing can be seen. */
  async wait(seq: number, timeoutMs: number): Promise<AskEnd | 'late'> {
    const { clock, changes } = this.#options
    // Race: what was asked may be stored only once nothing can be seen any more.
    if (this.#end !== undefined) throw this.#end
    if (this.#waiting.size === 0) changes.listen(this.#changed)
    const timer = clock.after(timeoutMs, () => this.tell(seq, 'late'))
    const came = await new Promise<Came>((resolve) => {
      this.#waiting.set(seq, resolve)
      this.#lookIn(backstopMs)
    })
    timer.cancel()
    if (came instanceof Error) throw came
    return came
  }

  tell(seq: number, came: Came): void {
    const waiting = this.#waiting.get(seq)
    if (waiting === undefined) return
    this.#waiting.delete(seq)
    if (this.#waiting.size === 0) this.#rest()
    waiting(came)
  }

  /** Something may have come, or a run have ended. */
  look(): void {
    if (this.#waiting.size > 0) this.#lookIn(lookAfterMs)
  }

  /** Nothing can be seen any more. */
  close(end: Error): void {
    this.#end = end
    for (const seq of this.#waiting.keys()) this.tell(seq, end)
  }

  #rest(): void {
    this.#options.changes.forget(this.#changed)
    this.#next?.timer.cancel()
    this.#next = undefined
  }

  #lookIn(delayMs: number): void {
    const { clock } = this.#options
    const at = clock.monotonic() + delayMs
    if (this.#next !== undefined && this.#next.at <= at) return
    this.#next?.timer.cancel()
    this.#next = { at, timer: clock.after(delayMs, () => void this.#look(), { background: true, upkeep: true }) }
  }

  async #look(): Promise<void> {
    this.#next = undefined
    if (this.#isLooking) return this.#lookIn(lookAfterMs)
    this.#isLooking = true
    const seqs = [...this.#waiting.keys()]
    for (let from = 0; from < seqs.length; from += mostAtOnce) await this.#lookAt(seqs.slice(from, from + mostAtOnce))
    this.#isLooking = false
    if (this.#waiting.size > 0) this.#lookIn(backstopMs)
  }

  async #lookAt(seqs: readonly number[]): Promise<void> {
    try {
      for (const [seq, end] of await this.#options.asks.listEnds(seqs)) this.tell(seq, end)
    } catch (error) {
      for (const seq of seqs) this.tell(seq, toError(error))
    }
  }
}
