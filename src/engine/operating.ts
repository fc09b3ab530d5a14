// What is done to runs that are there, by the program or a person.
import { performBulk, type BulkAction, type BulkOptions, type BulkProgress } from './bulk.ts'
import { checkName, checkOptions } from './checks.ts'
import type { Face } from './face.ts'
import { checkBulk, checkBy, type ByOption, type RunsWhere } from './options.ts'
import { checkedBounds, knownOfBounds, type LimitBounds } from './limits.ts'
import type { RunHandle } from './run-handle.ts'
import type { CancelWrite } from './starts.ts'
import type { OperatingVerbs } from './verbs.ts'

export class Operating implements OperatingVerbs {
  readonly #face: Face

  constructor(face: Face) {
    this.#face = face
  }

  async cancel(runId: string, reason?: string, options: ByOption = {}): Promise<boolean> {
    checkOptions('cancel', options, ['by'])
    checkBy(options)
    const handle = await this.#face.handle(runId)
    const { by: actor } = options
    if (actor === undefined) return handle.cancel(reason)
    const details = JSON.stringify({ reason: reason ?? null })
    await this.#face.deps.store.recordAudit({ actor, action: 'cancel', target: runId, details })
    return handle.cancel(reason)
  }

  async retry(runId: string, options?: ByOption): Promise<RunHandle> {
    const handle = await this.#face.handle(runId)
    await handle.retry(options)
    return handle
  }

  async bulk(action: BulkAction, where: RunsWhere, options: BulkOptions = {}): Promise<BulkProgress> {
    const { checkOpen, deps, engine } = this.#face
    checkOpen()
    checkBulk(action, where, options)
    const owner = {
      store: deps.store,
      cancel: (write: CancelWrite) => engine.cancel(write),
      hint: () => engine.hint(),
      turn: () => new Promise<void>((resolve) => deps.clock.soon(resolve)),
    }
    return performBulk(owner, { action, where, options })
  }

  async pause(queue: string): Promise<boolean> {
    return this.#face.deps.store.pauseQueue(await this.#queueId(queue))
  }

  async resume(queue: string): Promise<boolean> {
    const isResumed = await this.#face.deps.store.resumeQueue(await this.#queueId(queue))
    this.#face.engine.hint()
    return isResumed
  }

  async limit(name: string, bounds: LimitBounds | null): Promise<void> {
    this.#face.checkOpen()
    checkName('The name of a limiter', name)
    if (bounds !== null) checkOptions(`limit '${name}'`, bounds, knownOfBounds)
    await this.#face.deps.store.setLiveBounds(name, bounds === null ? null : checkedBounds(`limiter '${name}'`, bounds))
    this.#face.engine.hint()
  }

  async #queueId(name: string): Promise<number> {
    this.#face.checkOpen()
    checkName('The name of a queue', name)
    return this.#face.deps.store.internQueue(name)
  }
}
