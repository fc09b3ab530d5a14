// The runs whose ends a workflow waits for.
import type { Listener, News } from '../../engine/watch/ear.ts'
import { whyNotHere } from '../../engine/activation/unread.ts'
import type { FinishedRun } from '../../store/store.ts'
import type { LookoutOwner } from './lookout.ts'

/** One that waits for the end of a run. */
export interface AwaitedRun {
  readonly path: string
  readonly id: string
  /** `gone`: it is not in the store any more. */
  readonly ended: (end: FinishedRun | 'gone') => void
}

/** Until when a result is waited for, and what is told when that comes first. */
export interface ResultDue {
  readonly at: number | null
  readonly late: () => Promise<Error>
}

interface Waiting {
  readonly id: string
  readonly listener: Listener
}

export class AwaitedRuns {
  readonly #owner: LookoutOwner
  readonly #waiting = new Map<string, Waiting>()

  constructor(owner: LookoutOwner) {
    this.#owner = owner
  }

  add(run: AwaitedRun): void {
    const listener = { awaitsEnd: true, hear: (news: News) => this.#hear(run, news) }
    this.#waiting.set(run.path, { id: run.id, listener })
    this.#owner.activation.around.watch.add(run.id, listener)
    void this.#see(run.id)
  }

  /** It waits no more: its time is up. */
  remove(path: string): void {
    const waiting = this.#waiting.get(path)
    if (waiting === undefined) return
    this.#waiting.delete(path)
    this.#owner.activation.around.watch.remove(waiting.id, waiting.listener)
  }

  /** Nobody waits for these any more. */
  removeWithin(scope: string): void {
    for (const path of this.#waiting.keys()) if (path.startsWith(`${scope}/`)) this.remove(path)
  }

  clear(): void {
    for (const path of this.#waiting.keys()) this.remove(path)
  }

  #hear({ path, id, ended }: AwaitedRun, { finished, isGone, trouble }: News): void {
    const end = isGone ? 'gone' : finished
    if (trouble !== undefined) return this.#owner.activation.writeFailed(trouble)
    if (end === undefined) return void this.#see(id)
    const why = end === 'gone' ? undefined : whyNotHere({ isError: end.outcome !== 'succeeded', value: end.value })
    if (why !== undefined) return this.#owner.unread(why)
    this.remove(path)
    ended(end)
  }

  async #see(id: string): Promise<void> {
    this.#owner.asking()
    await this.#owner.activation.around.watch.see(id)
    this.#owner.asked()
  }
}
