// What can be seen of runs: in the store those of all nodes, in memory those that live in this process only.
import type { CodecKey } from '../../store/operating.ts'
import type { EndedRuns } from '../../store/views.ts'
import { auditEntry, type AuditEntry } from './audit.ts'
import { checkText } from '../checks.ts'
import { deadKind, type DeadKind } from './dead-kinds.ts'
import type { Face } from './face.ts'
import { queueStatus, type LimiterStatus, type QueueStatus } from './queue-status.ts'
import {
  checkAuditFilter,
  checkDeadFilter,
  checkRunsFilter,
  type AuditFilter,
  type DeadFilter,
  type RunsFilter,
} from './filters.ts'
import type { RunHandle } from '../watch/run-handle.ts'
import { runStats, type RunStats } from './run-stats.ts'
import {
  attemptStatus,
  runStatus,
  stepStatus,
  type AttemptStatus,
  type RunStatus,
  type StepStatus,
} from './run-status.ts'
import type { LookingVerbs } from './verbs.ts'
import { waitStatuses, type WaitStatus } from './wait-status.ts'

export class Looking implements LookingVerbs {
  readonly #face: Face

  constructor(face: Face) {
    this.#face = face
  }

  definitions(): string[] {
    return this.#face.registry.names()
  }

  async running(): Promise<string[]> {
    return this.#runningIds()
  }

  async runningFor(name: string): Promise<string[]> {
    checkText('The name of a definition', name)
    return this.#runningIds(name)
  }

  runningHere(): string[] {
    const { engine } = this.#face
    return engine.underWay.ids()
  }

  async stats(name: string): Promise<RunStats | undefined> {
    this.#face.checkOpen()
    checkText('The name of a definition', name)
    const ended = await this.#endedRuns(name)
    return ended !== undefined || this.#face.registry.has(name) ? runStats(ended ?? []) : undefined
  }

  handle(runId: string): Promise<RunHandle> {
    return this.#face.handle(runId)
  }

  get(runId: string): Promise<RunStatus | undefined> {
    return this.#face.find(runId)
  }

  async runs(filter: RunsFilter = {}): Promise<RunStatus[]> {
    this.#face.checkOpen()
    checkRunsFilter(filter)
    return (await this.#face.deps.store.listRuns({ ...filter, limit: filter.limit ?? 50 })).map(runStatus)
  }

  async dead(filter: DeadFilter = {}): Promise<DeadKind[]> {
    this.#face.checkOpen()
    checkDeadFilter(filter)
    const { store } = this.#face.deps
    const groups = await store.listDead({ ...filter, limit: filter.limit ?? 50 })
    const kinds = groups.map(async (group) => {
      const newest = await store.findRun(group.newest)
      // Race: it may have been deleted or taken up again meanwhile.
      return newest === undefined ? [] : [deadKind(group, runStatus(newest))]
    })
    return (await Promise.all(kinds)).flat()
  }

  async audit(filter: AuditFilter = {}): Promise<AuditEntry[]> {
    this.#face.checkOpen()
    checkAuditFilter(filter)
    const page = { before: filter.after ?? null, limit: filter.limit ?? 50 }
    return (await this.#face.deps.store.operating.listAudit(page)).map(auditEntry)
  }

  async codecKeys(): Promise<CodecKey[]> {
    this.#face.checkOpen()
    return this.#face.deps.store.operating.countCodecKeys()
  }

  async steps(runId: string): Promise<StepStatus[]> {
    await this.#face.existing(runId)
    return (await this.#face.deps.store.listSteps(runId)).map(stepStatus)
  }

  async waits(runId: string): Promise<WaitStatus[]> {
    await this.#face.existing(runId)
    return waitStatuses(await this.#face.deps.store.listWaits(runId))
  }

  async attempts(runId: string): Promise<AttemptStatus[]> {
    await this.#face.existing(runId)
    return (await this.#face.deps.store.listAttempts(runId)).map(attemptStatus)
  }

  async queues(): Promise<QueueStatus[]> {
    this.#face.checkOpen()
    return (await this.#face.deps.store.listQueues()).map(queueStatus)
  }

  async limiters(): Promise<LimiterStatus[]> {
    this.#face.checkOpen()
    return this.#face.deps.store.listLimiters()
  }

  /** Of one name when it is given. */
  async #runningIds(name?: string): Promise<string[]> {
    const { deps, engine, checkOpen } = this.#face
    checkOpen()
    const filter = { state: 'running', limit: Number.MAX_SAFE_INTEGER, ...(name !== undefined && { name }) } as const
    const rows = await deps.store.listRuns(filter)
    return [...rows.map(({ id }) => id), ...engine.local.running(name)]
  }

  /** Undefined when there are none at all of that name, neither ended nor under way. */
  async #endedRuns(name: string): Promise<EndedRuns[] | undefined> {
    const { deps, engine } = this.#face
    const ended = [...(await deps.store.countEnded(name)), ...engine.local.countEnded(name)]
    const isKnown = ended.length > 0 || (await deps.store.listRuns({ name, limit: 1 })).length > 0
    return isKnown ? ended : undefined
  }
}
