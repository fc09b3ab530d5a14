// Where the handle of a run looks: in the store for durable runs, in memory for those of this process only.
import { runCancelled } from '../model/errors.ts'
import type { Resumed } from '../store/interventions.ts'
import type { Reopened } from '../store/operating.ts'
import type { CancelAnswer } from '../store/cancels.ts'
import type { EmitCursor, EmittedRow, FinishedRun, Store } from '../store/store.ts'
import type { RunView, LogPage, LogRow } from '../store/views.ts'
import type { CancelOrder } from './cancel-order.ts'
import { errorText } from './error-text.ts'
import { RequestWrite } from './request-write.ts'
import type { AskOptions } from './asking.ts'
import type { Ear } from './ear.ts'
import type { ForkOptions } from './forking.ts'
import type { ResolveOptions } from './resolving.ts'
import type { RunHandle } from './run-handle.ts'
import type { TellOptions, ToldMessage } from './telling.ts'
import type { Watch } from './watch.ts'

export interface RunFeed {
  readonly id: string
  readonly name: string
  /** Whether the news of this run will come from this process. */
  readonly isHere: boolean
  /** Listens to the run from now on, for its end or for what it says; throws when nothing can be seen any more. */
  listen(awaitsEnd: boolean): Ear
  finished(): FinishedRun | undefined | Promise<FinishedRun | undefined>
  /** A shorter way to its end, where there is one. */
  whenFinished?(): Promise<FinishedRun>
  messages(after: EmitCursor, limit: number): readonly EmittedRow[] | Promise<readonly EmittedRow[]>
  logs(page: LogPage): readonly LogRow[] | Promise<readonly LogRow[]>
  /** Undefined when there is no such run any more. */
  view(): RunView | undefined | Promise<RunView | undefined>
  cancel(order: CancelOrder): Promise<CancelAnswer>
  /** Opens its next generation; `not_stored` for one that lives in memory. */
  retry(by: string | undefined): Promise<Reopened | 'not_stored'>
  /** Lets it be tried that was set aside; `not_stored` as above. */
  resume(by: string | undefined): Promise<Resumed | 'not_stored'>
  /** Throws `resolve_refused` for one that lives in memory. */
  resolve(step: string, options: ResolveOptions): Promise<void>
  /** Throws `fork_refused` for one that lives in memory. */
  fork(options?: ForkOptions): Promise<RunHandle>
  tell(name: string, payload: unknown, options?: TellOptions): Promise<true>
  ask(name: string, payload: unknown, options?: AskOptions): Promise<unknown>
}

/** What the feeds of durable runs need of the engine. */
export interface FeedOwner {
  readonly store: Store
  readonly watch: Watch
  /** Whether the news of this run will come from this process. */
  isHere(id: string): boolean
  cancel(write: RequestWrite<'cancels'>): Promise<void>
  /** A run is ready again. */
  hint(id: string): void
  resolve(id: string, step: string, options: ResolveOptions): Promise<void>
  fork(run: { readonly id: string; readonly name: string }, options?: ForkOptions): Promise<RunHandle>
  tell(runId: string, message: ToldMessage<TellOptions>): Promise<true>
  ask(runId: string, message: ToldMessage<AskOptions>): Promise<unknown>
}

export class StoredFeed implements RunFeed {
  readonly id: string
  readonly name: string
  readonly #owner: FeedOwner

  constructor(owner: FeedOwner, run: { readonly id: string; readonly name: string }) {
    this.#owner = owner
    this.id = run.id
    this.name = run.name
  }

  get isHere(): boolean {
    return this.#owner.isHere(this.id)
  }

  listen(awaitsEnd: boolean): Ear {
    return this.#owner.watch.listen(this.id, awaitsEnd)
  }

  finished(): Promise<FinishedRun | undefined> {
    return this.#owner.store.findFinished(this.id)
  }

  messages(after: EmitCursor, limit: number): Promise<EmittedRow[]> {
    return this.#owner.store.listEmitted(this.id, after, limit)
  }

  logs(page: LogPage): Promise<LogRow[]> {
    return this.#owner.store.listLogs(this.id, page)
  }

  view(): Promise<RunView | undefined> {
    this.#owner.watch.checkOpen()
    return this.#owner.store.findRun(this.id)
  }

  async cancel({ reason, skipsUndo }: CancelOrder): Promise<CancelAnswer> {
    this.#owner.watch.checkOpen()
    const value = errorText(runCancelled(this.name, this.id, reason))
    const write = new RequestWrite('cancels', { id: this.id, reason, value, skipsUndo })
    await this.#owner.cancel(write)
    const told = await write.answer
    if (told === 'cancelled') this.#owner.watch.wake(this.id)
    return told
  }

  async retry(by: string | undefined): Promise<Reopened> {
    const { watch, store } = this.#owner
    watch.checkOpen()
    const audit = { actor: by ?? null, action: 'retry', target: this.id, details: '{}' }
    const [told = 'not_found'] = await store.reopenRuns([this.id], audit)
    if (told === 'reopened') this.#owner.hint(this.id)
    return told
  }

  async resume(by: string | undefined): Promise<Resumed> {
    const { watch, store } = this.#owner
    watch.checkOpen()
    const audit = { actor: by ?? null, action: 'resume', target: this.id, details: '{}' }
    const [told = 'not_found'] = await store.interventions.resume([this.id], audit)
    if (told === 'resumed') this.#owner.hint(this.id)
    return told
  }

  resolve(step: string, options: ResolveOptions): Promise<void> {
    return this.#owner.resolve(this.id, step, options)
  }

  fork(options?: ForkOptions): Promise<RunHandle> {
    return this.#owner.fork(this, options)
  }

  tell(name: string, payload: unknown, options?: TellOptions): Promise<true> {
    return this.#owner.tell(this.id, { name, payload, options })
  }

  ask(name: string, payload: unknown, options?: AskOptions): Promise<unknown> {
    return this.#owner.ask(this.id, { name, payload, options })
  }
}
