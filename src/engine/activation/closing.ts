// Between the end of an attempt and the writing of that: its code stops, and what it left to be done is done.
import type { Activation } from './activation.ts'
import { Cleanups, type Cleanup } from './cleanups.ts'
import { isDoneWithin } from '../in-time.ts'

// Code that was cut short has so long to stop by itself before its clean-ups run beside it.
const stopMs = 1_000
const cleanUpMs = 30_000
// A node that stops has no longer; see patienceMs of the engine.
const lastCleanUpMs = 3_000

export class Closing {
  /** The attempt has had its end, which is not written yet. */
  isUnderWay = false
  readonly #run: Pick<Activation, 'claimed' | 'definition' | 'deps' | 'isOver'>
  readonly #cleanups: Cleanups
  // The attempt may have had its end before anything was left to be done.
  #isIdle: boolean

  constructor(run: Pick<Activation, 'claimed' | 'definition' | 'deps' | 'isOver'>) {
    this.#run = run
    this.#cleanups = new Cleanups(run.deps.clock)
    this.#isIdle = run.isOver
  }

  /** To be run before all that is there; at once when the attempt has had its end and all was run. */
  add(cleanup: Cleanup): void {
    const isLate = this.#run.isOver && (this.#isIdle || this.#cleanups.areOver)
    this.#isIdle = false
    this.#cleanups.add(cleanup)
    if (isLate) void this.#cleanUp(cleanUpMs)
  }

  /** The node stops. */
  hurry(): void {
    this.#cleanups.hurry(lastCleanUpMs)
  }

  /** Waits a while for code that was cut short, then runs what is there; returns what went wrong. */
  async run(code: Promise<unknown> | undefined, isLast: boolean): Promise<Error[]> {
    this.isUnderWay = true
    const stopped = code?.catch(() => undefined)
    if (stopped !== undefined) await isDoneWithin(this.#run.deps.clock, stopMs, stopped)
    const errors = await this.#cleanUp(isLast ? lastCleanUpMs : cleanUpMs)
    this.isUnderWay = false
    return errors
  }

  async #cleanUp(withinMs: number): Promise<Error[]> {
    const { claimed, definition, deps } = this.#run
    const errors = await this.#cleanups.run(withinMs)
    for (const error of errors) {
      const text = `a clean-up of '${definition.name}' failed: ${error.message}`
      deps.log.error({ run: claimed.id, err: error }, text)
    }
    return errors
  }
}
