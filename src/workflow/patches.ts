// ctx.patch: whether a change of the code holds for a run, decided where it first comes to it.
import { ownPath } from '../model/path.ts'

export interface PatchJournal {
  /** What is remembered of a path; undefined when that is nothing. */
  recall(path: string): Promise<unknown> | undefined
  /** Whether the code was further than this in a former activation. */
  wasFurther(): boolean
  keep(path: string): Promise<unknown>
}

/** One answer for each patch of a run. No is not remembered: what it follows from stays in the journal. */
export class Patches {
  readonly #journal: PatchJournal
  readonly #answers = new Map<string, Promise<boolean>>()

  constructor(journal: PatchJournal) {
    this.#journal = journal
  }

  ask(id: string): Promise<boolean> {
    const known = this.#answers.get(id)
    if (known !== undefined) return known
    const answer = this.#decide(ownPath('', 'patch', id))
    this.#answers.set(id, answer)
    return answer
  }

  async #decide(path: string): Promise<boolean> {
    const recalled = this.#journal.recall(path)
    if (recalled === undefined && this.#journal.wasFurther()) return false
    return (await (recalled ?? this.#journal.keep(path))) as boolean
  }
}
