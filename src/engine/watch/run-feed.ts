// Where the handle of a run looks: in the store for durable runs, in memory for those of this process only.
import { isTroupeError } from '../../lib/errors.ts'
import { retryRefused, runNotFound } from '../../model/errors.ts'
import { resumeRefused } from '../../model/intervention-errors.ts'
import type { AuditRecord } from '../../store/operating.ts'
import type { CancelAnswer } from '../../store/cancels.ts'
import type { EmitCursor, EmittedRow, FinishedRun, Store } from '../../store/store.ts'
import type { RunView, LogPage, LogRow } from '../../store/views.ts'
import { bringCancel, type CancelOrder } from '../activation/cancel-order.ts'
import { Asking, type AskOptions } from '../verbs/asking.ts'
import type { Ear } from './ear.ts'
import type { Face } from '../verbs/face.ts'
import { forkRun, type ForkOptions } from '../verbs/forking.ts'
import { resolveStep, type ResolveOptions } from '../verbs/resolving.ts'
import type { RunHandle } from './run-handle.ts'
import { Telling, type TellOptions } from '../verbs/telling.ts'
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
  // All of these throw for a run that lives in memory, and for one that it does not fit.
  /** Opens its next generation. */
  retry(audit: AuditRecord): Promise<void>
  /** Lets it be tried that was set aside. */
  wakeSetAside(audit: AuditRecord): Promise<void>
  resolve(step: string, options: ResolveOptions): Promise<void>
  fork(options?: ForkOptions): Promise<RunHandle>
  tell(name: string, payload: unknown, options?: TellOptions): Promise<true>
  ask(name: string, payload: unknown, options?: AskOptions): Promise<unknown>
}

export class StoredFeed implements RunFeed {
  readonly id: string
  readonly name: string
  readonly #face: Face

  constructor(face: Face, run: { readonly id: string; readonly name: string }) {
    this.#face = face
    this.id = run.id
    this.name = run.name
  }

  get isHere(): boolean {
    return this.#face.engine.active.hasId(this.id)
  }

  listen(awaitsEnd: boolean): Ear {
    return this.#watch.listen(this.id, awaitsEnd)
  }

  finished(): Promise<FinishedRun | undefined> {
    return this.#store.findFinished(this.id)
  }

  messages(after: EmitCursor, limit: number): Promise<EmittedRow[]> {
    return this.#store.listEmitted(this.id, after, limit)
  }

  logs(page: LogPage): Promise<LogRow[]> {
    return this.#store.listLogs(this.id, page)
  }

  view(): Promise<RunView | undefined> {
    this.#watch.checkOpen()
    return this.#face.view(this.id)
  }

  async cancel(order: CancelOrder): Promise<CancelAnswer> {
    this.#watch.checkOpen()
    const told = await bringCancel(this.#face, this, order)
    if (told === 'cancelled') this.#watch.wake(this.id)
    return told
  }

  async retry(audit: AuditRecord): Promise<void> {
    this.#watch.checkOpen()
    const [told = 'not_found'] = await this.#store.operating.reopenRuns([this.id], audit)
    if (told === 'not_found') throw runNotFound(this.id)
    if (told !== 'reopened') throw retryRefused(this.id, told)
    this.#face.engine.hints.ready(this.id)
  }

  async wakeSetAside(audit: AuditRecord): Promise<void> {
    this.#watch.checkOpen()
    const [told = 'not_found'] = await this.#store.operating.wakeRunsSetAside([this.id], audit)
    if (told === 'not_found') throw runNotFound(this.id)
    if (told !== 'woken') throw resumeRefused(this.id, told, (await this.view())?.reason ?? undefined)
    this.#face.engine.hints.ready(this.id)
  }

  resolve(step: string, options: ResolveOptions): Promise<void> {
    return resolveStep(this.#face, { id: this.id, path: step }, options)
  }

  fork(options?: ForkOptions): Promise<RunHandle> {
    return forkRun(this.#face, this, options)
  }

  tell(name: string, payload: unknown, options?: TellOptions): Promise<true> {
    return new Telling(this.#face).tell(this.id, name, payload, options)
  }

  ask(name: string, payload: unknown, options?: AskOptions): Promise<unknown> {
    return new Asking(this.#face).ask(this.id, name, payload, options)
  }

  get #store(): Store {
    return this.#face.deps.store
  }

  get #watch(): Watch {
    return this.#face.engine.watch
  }
}

/** Of a run that is there once its start was taken in: until then its end is waited for. */
export class ExpectedFeed extends StoredFeed {
  #isThere = false

  override async finished(): Promise<FinishedRun | undefined> {
    try {
      const end = await super.finished()
      this.#isThere = true
      return end
    } catch (error) {
      if (this.#isThere || !isTroupeError(error, 'run_not_found')) throw error
      return undefined
    }
  }
}
