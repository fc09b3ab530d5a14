// What is done to runs that are there, by the program or a person.
import { deleteRefused, nameUnknown, runNotFound } from '../../model/errors.ts'
import { auditRecord, type ByOption, type WhyOption } from './audit.ts'
import { checkBulk, performBulk, type BulkOptions, type BulkProgress } from './bulk.ts'
import type { BulkAction } from './bulk-actions.ts'
import { cancelOptions, cancelOrder, type CancelOptions } from '../activation/cancel-order.ts'
import { checkName, checkOptions } from '../checks.ts'
import type { Face } from './face.ts'
import type { ForkOptions } from './forking.ts'
import { checkRunId } from './filters.ts'
import { checkedBounds, knownOfBounds, type LimitBounds } from '../limits/limits.ts'
import {
  Investigating,
  type InvestigateOptions,
  type Investigation,
  type InvestigationsFilter,
} from './investigating.ts'
import type { ResolveOptions } from './resolving.ts'
import type { RunHandle } from '../watch/run-handle.ts'
import type { RunsWhere } from '../../store/views.ts'
import type { OperatingVerbs } from './verbs.ts'

const queueRemedy =
  'A queue is known once a process that serves it has opened this store, or a run was started in it: to pause one before, name it in Troupe.open({ queues }).'

const limiterRemedy =
  'A limiter is known once a process has opened this store with a definition that names it, or something has run under it.'

export class Operating implements OperatingVerbs {
  readonly #face: Face
  readonly #investigating: Investigating

  constructor(face: Face) {
    this.#face = face
    this.#investigating = new Investigating(face)
  }

  investigations(filter?: InvestigationsFilter): Promise<Investigation[]> {
    return this.#investigating.investigations(filter)
  }

  investigate(runId: string, options?: InvestigateOptions): Promise<void> {
    return this.#investigating.investigate(runId, options)
  }

  async cancel(
    runId: string,
    reason: string | (CancelOptions & ByOption) = {},
    options: CancelOptions & ByOption = {},
  ): Promise<boolean> {
    const { by, ...told } = cancelOptions(reason, options)
    const { skipsUndo } = cancelOrder('cancel', told)
    const details = { reason: told.reason ?? null, ...(skipsUndo && { undo: false }) }
    const audit = auditRecord('cancel', { by }, { action: 'cancel', target: runId, details })
    const handle = await this.#face.handle(runId)
    // Programs cancel what nobody waits for any more, many at a time: what no person did is no entry.
    if (by !== undefined) await this.#face.deps.store.operating.recordAudit(audit)
    return handle.cancel(told)
  }

  async retry(runId: string, options?: WhyOption): Promise<RunHandle> {
    const handle = await this.#face.handle(runId)
    await handle.retry(options)
    return handle
  }

  async fork(runId: string, options?: ForkOptions): Promise<RunHandle> {
    return (await this.#face.feed(runId)).fork(options)
  }

  async resolve(runId: string, step: string, options: ResolveOptions): Promise<RunHandle> {
    const handle = await this.#face.handle(runId)
    await handle.resolve(step, options)
    return handle
  }

  async resumeRun(runId: string, options?: ByOption): Promise<RunHandle> {
    const handle = await this.#face.handle(runId)
    await handle.resume(options)
    return handle
  }

  async delete(runId: string, options: ByOption = {}): Promise<void> {
    this.#face.checkOpen()
    checkRunId(runId)
    const audit = auditRecord('delete', options, { action: 'delete', target: runId })
    if (this.#face.engine.local.find(runId) !== undefined) throw deleteRefused(runId, 'not_stored')
    const [told = 'not_found'] = await this.#face.deps.store.operating.deleteRuns([runId], audit)
    if (told === 'not_found') throw runNotFound(runId)
    if (told !== 'deleted') throw deleteRefused(runId, told)
  }

  async bulk(action: BulkAction, where: RunsWhere, options: BulkOptions = {}): Promise<BulkProgress> {
    this.#face.checkOpen()
    checkBulk(action, where, options)
    return performBulk(this.#face, { action, where, options })
  }

  async pause(queue: string, options: ByOption = {}): Promise<boolean> {
    const audit = auditRecord('pause', options, { action: 'pause queue', target: queue })
    return this.#face.deps.store.pauseQueue(await this.#queueId(queue), audit)
  }

  async resume(queue: string, options: ByOption = {}): Promise<boolean> {
    const audit = auditRecord('resume', options, { action: 'resume queue', target: queue })
    const isResumed = await this.#face.deps.store.unpauseQueue(await this.#queueId(queue), audit)
    this.#face.engine.hints.ready()
    return isResumed
  }

  async limit(name: string, bounds: LimitBounds | null, options: ByOption = {}): Promise<void> {
    this.#face.checkOpen()
    checkName('The name of a limiter', name)
    if (bounds !== null) checkOptions(`limit '${name}'`, bounds, knownOfBounds)
    const live = bounds === null ? null : checkedBounds(`limiter '${name}'`, bounds)
    const audit = auditRecord('limit', options, { action: 'limit', target: name, details: { bounds } })
    const known = (await this.#face.deps.store.listLimiters()).map((limiter) => limiter.name)
    if (!known.includes(name)) throw nameUnknown('limiter', name, { known, remedy: limiterRemedy })
    await this.#face.deps.store.setLiveBounds(name, live, audit)
    this.#face.engine.hints.ready()
  }

  async #queueId(name: string): Promise<number> {
    this.#face.checkOpen()
    checkName('The name of a queue', name)
    const { deps, registry } = this.#face
    const inCode = registry.names().flatMap((each) => registry.find(each).settings.queue ?? [])
    const known = [...new Set([...(await deps.store.listQueueNames()), ...inCode])].sort()
    if (!known.includes(name)) throw nameUnknown('queue', name, { known, remedy: queueRemedy })
    return deps.store.internQueue(name)
  }
}
