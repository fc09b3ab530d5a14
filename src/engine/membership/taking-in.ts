// Takes in what was left in the store to be started, in transactions of which nobody tells: looks now and then, and often when something is likely to be there.
import type { Timer } from '../../lib/clock.ts'
import { isTroupeError } from '../../lib/errors.ts'
import type { IntakeStore, LeftStart, MadeStart, PlainStart, TakenStart } from '../../store/intake.ts'
import type { Deps } from '../deps.ts'

// A node that has nothing to do looks so often.
const pollMs = 1_000
// One on which runs end, and one that has just found something.
const busyMs = 50
const foundMs = 10
// After a start was left from here; each look in vain doubles that.
const soonestMs = 4
// So many in one transaction: few enough that it holds up nobody.
const mostAtOnce = 100

export interface TakingInOptions {
  /** These have become runs. */
  readonly taken: (ids: readonly string[]) => void
}

export class TakingIn {
  /** Makes a start of one from SQL; undefined where nobody here can, now. */
  make: (plain: PlainStart) => Promise<MadeStart | undefined> = async () => undefined
  readonly #deps: Deps
  readonly #options: TakingInOptions
  readonly #intake: IntakeStore | undefined
  #isServing = false
  #isClosed = false
  /** There is life in the store, and the next look is soon. */
  #isSoon = false
  #delayMs = pollMs
  #next: { readonly at: number; readonly timer: Timer } | undefined
  #look: Promise<void> | undefined
  /** A look that has yet to begin, for all who ask meanwhile. */
  #asked: Promise<void> | undefined
  /** Names that cannot be started here, as far as was known of late. */
  #unknown = new Set<string>()
  #forgetAt = 0
  /** What the store does not take, by its place. */
  readonly #refused = new Set<number>()

  constructor(deps: Deps, options: TakingInOptions) {
    this.#deps = deps
    this.#options = options
    this.#intake = deps.store.callers.intake
  }

  /** Looks from now on, until it is closed. */
  serve(): void {
    this.#isServing = true
    this.#lookIn(0)
  }

  /** A start was left from here: its transaction is likely to end soon, and says so to nobody. */
  expect(): void {
    this.#delayMs = soonestMs
    this.#lookIn(soonestMs)
  }

  /** Something happens in the store: more may have been left. */
  soon(): void {
    if (this.#isSoon || !this.#isServing) return
    this.#isSoon = true
    this.#lookIn(busyMs)
  }

  /** Looks at once, for somebody who does not find a run; resolves once what was there when it was asked has been taken in. */
  now(): Promise<void> {
    if (this.#intake === undefined || this.#isClosed) return Promise.resolve()
    this.#asked ??= this.#lookFor(this.#intake)
    return this.#asked
  }

  /** A look that is under way ends with the store. */
  close(): void {
    this.#isClosed = true
    this.#next?.timer.cancel()
  }

  async #lookFor(intake: IntakeStore): Promise<void> {
    do await this.#look
    while (this.#look !== undefined)
    this.#asked = undefined
    this.#next?.timer.cancel()
    await this.#lookNow(intake)
  }

  #lookIn(delayMs: number): void {
    // Who looks just now decides afterwards when it looks again.
    if (this.#intake === undefined || this.#isClosed || this.#look !== undefined) return
    const { clock } = this.#deps
    const at = clock.monotonic() + delayMs
    if (this.#next !== undefined && this.#next.at <= at) return
    this.#next?.timer.cancel()
    const intake = this.#intake
    const look = (): void => void this.#lookNow(intake)
    this.#next = { at, timer: clock.after(delayMs, look, { background: true, upkeep: true }) }
  }

  async #lookNow(intake: IntakeStore): Promise<void> {
    this.#next = undefined
    this.#isSoon = false
    this.#look = this.#lookOnce(intake)
    await this.#look
    this.#look = undefined
    const delayMs = this.#delayMs
    this.#delayMs = Math.min(delayMs * 2, pollMs)
    if (this.#isServing || delayMs < pollMs) this.#lookIn(this.#isSoon ? Math.min(delayMs, busyMs) : delayMs)
  }

  async #lookOnce(intake: IntakeStore): Promise<void> {
    try {
      if (await this.#takeAll(intake)) this.#delayMs = Math.min(this.#delayMs, foundMs)
    } catch (error) {
      if (!this.#isClosed) this.#deps.log.error({ err: error }, 'taking in what was left to be started failed')
    }
  }

  /** Whether there was anything. */
  async #takeAll(intake: IntakeStore): Promise<boolean> {
    const now = this.#deps.clock.monotonic()
    if (now >= this.#forgetAt) {
      this.#unknown = new Set()
      this.#forgetAt = now + pollMs
    }
    let isFound = false
    let left: readonly LeftStart[]
    let after = 0
    do {
      left = await intake.list({ after, limit: mostAtOnce, without: [...this.#unknown] })
      const ids = await this.#takeIn(intake, await this.#madeOf(left))
      if (ids.length > 0 && !this.#isClosed) this.#options.taken(ids)
      isFound ||= ids.length > 0
      after = left.at(-1)?.place ?? after
    } while (left.length === mostAtOnce && !this.#isClosed)
    return isFound
  }

  /** Of those that can be started. */
  async #madeOf(left: readonly LeftStart[]): Promise<TakenStart[]> {
    const taken: TakenStart[] = []
    for (const { place, plain } of left) {
      if (this.#refused.has(place) || (plain !== undefined && this.#unknown.has(plain.name))) continue
      const made = plain && (await this.make(plain))
      if (plain === undefined || made !== undefined) taken.push({ place, made })
      else this.#unknown.add(plain.name)
    }
    return taken
  }

  /** One that the store does not take holds up none of the others. */
  async #takeIn(intake: IntakeStore, taken: readonly TakenStart[]): Promise<readonly string[]> {
    if (taken.length === 0) return []
    try {
      return await intake.takeIn(taken)
    } catch (error) {
      if (isTroupeError(error)) throw error
      const [{ place } = { place: 0 }] = taken
      if (taken.length === 1) {
        this.#refused.add(place)
        this.#deps.log.error({ place, err: error }, `the store does not take what was left at place ${place} of intake`)
        return []
      }
      const middle = taken.length >> 1
      const first = await this.#takeIn(intake, taken.slice(0, middle))
      return [...first, ...(await this.#takeIn(intake, taken.slice(middle)))]
    }
  }
}
