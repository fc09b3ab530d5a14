// The turns of loops: the newest state takes the place of the one before, and what the turn did is forgotten with it.
import { encode } from '../lib/codec.ts'
import type { Journal } from './journal.ts'
import type { LoopState } from './loop.ts'
import type { Results } from './results.ts'
import { StepRecorder, type RecordOwner } from './steps/step-recorder.ts'

export interface TurnsOptions {
  readonly journal: Journal
  readonly results: Results
  /** Records once the code has been led through what it did. */
  readonly begin: (path: string, record: () => void) => void
  /** Nobody waits any more for what is in this scope. */
  readonly over: (scope: string) => void
}

/** The turn that is over. */
export interface OverTurn {
  readonly scope: string
  readonly startedAt: number
}

export class Turns {
  readonly #owner: RecordOwner
  readonly #options: TurnsOptions

  constructor(owner: RecordOwner, options: TurnsOptions) {
    this.#owner = owner
    this.#options = options
  }

  /** What is remembered of a loop; undefined before its second turn. */
  async recall(path: string): Promise<LoopState | undefined> {
    return (await this.#options.results.recall(path, 'loop')) as LoopState | undefined
  }

  open(scope: string): void {
    this.#options.journal.openTurn(scope)
  }

  close(scope: string): void {
    this.#options.journal.closeTurn(scope)
  }

  /** Remembers the state of the next turn in the place of the last, and forgets the steps of that. */
  async next(path: string, next: LoopState, { scope, startedAt }: OverTurn): Promise<void> {
    const { journal, results, begin, over } = this.#options
    const { maxValueBytes: maxBytes } = this.#owner.activation.around
    const value = encode(next, { maxBytes, what: `state of loop '${path}'` })
    const record = (): void => {
      new StepRecorder(this.#owner, path, 'loop').recordTurn({ value, over: scope, startedAt })
      journal.forgetTurn(scope)
      over(scope)
    }
    await results.replace(path, () => begin(path, record))
  }
}
