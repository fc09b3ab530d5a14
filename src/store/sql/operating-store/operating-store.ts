// The part of the store that people act through: each verb one read or one transaction, in which who did it is kept.
import type {
  AuditPage,
  AuditRecord,
  DeletedRun,
  Forked,
  ForkRecord,
  OperatingStore,
  PickPage,
  Reopened,
  Resolved,
  ResolveRecord,
  WokenAside,
} from '../../operating.ts'
import type { RunsWhere } from '../../views.ts'
import { audited, listAudit, recordAudit } from './audit.ts'
import { countCodecKeys } from '../views/codec-keys.ts'
import { forkRun, listForkable } from './forks.ts'
import { reopenRuns } from '../runs/generations.ts'
import { resolveStep } from './resolving.ts'
import { deleteEnded } from '../retention/retention.ts'
import type { Ends } from '../runs/runs.ts'
import { listSetAside, wakeRunsSetAside } from './setting-aside.ts'
import type { Query } from '../../query.ts'
import type { Access } from '../database/transaction.ts'
import { countRuns, pickRuns } from '../views/views.ts'

export class SqlOperatingStore implements OperatingStore {
  readonly #access: Access

  constructor(access: Access) {
    this.#access = access
  }

  reopenRuns(ids: readonly string[], audit: AuditRecord | undefined): Promise<Reopened[]> {
    const work = (ends: Ends): Query<Reopened[]> => reopenRuns(ends, ids, audit?.actor ?? null)
    return this.#act(work, audit, (reopened) => reopened.includes('reopened'))
  }

  deleteRuns(ids: readonly string[], audit: AuditRecord | undefined): Promise<DeletedRun[]> {
    const work = ({ db }: Ends): Query<DeletedRun[]> => deleteEnded(db, ids)
    return this.#act(work, audit, (deleted) => deleted.includes('deleted'))
  }

  wakeRunsSetAside(ids: readonly string[], audit: AuditRecord | undefined): Promise<WokenAside[]> {
    const work = (ends: Ends): Query<WokenAside[]> => wakeRunsSetAside(ends, ids)
    return this.#act(work, audit, (woken) => woken.includes('woken'))
  }

  async listSetAside(ids: readonly string[]) {
    const { db, read } = this.#access
    return read(() => listSetAside(db, ids))
  }

  forkRun(fork: ForkRecord, audit: AuditRecord | undefined): Promise<Forked> {
    const work = (ends: Ends): Query<Forked> => forkRun(ends, fork)
    return this.#act(work, audit, (forked) => forked === 'forked')
  }

  async listForkable(ids: readonly string[], step: string) {
    const { db, read } = this.#access
    return read(() => listForkable(db, ids, step))
  }

  resolveStep(result: ResolveRecord, audit: AuditRecord): Promise<Resolved> {
    const work = (ends: Ends): Query<Resolved> => resolveStep(ends, result, audit.actor)
    return this.#act(work, audit, (resolved) => resolved === 'resolved')
  }

  async recordAudit(audit: AuditRecord): Promise<void> {
    const { db, write, now } = this.#access
    await write(() => recordAudit(db, audit, now()))
  }

  async listAudit(page: AuditPage) {
    const { db, read } = this.#access
    return read(() => listAudit(db, page))
  }

  async pickRuns(filter: RunsWhere, page: PickPage) {
    const { db, read } = this.#access
    return read(() => pickRuns(db, filter, page))
  }

  async countRuns(filter: RunsWhere) {
    const { db, read } = this.#access
    return read(() => countRuns(db, filter))
  }

  async countCodecKeys() {
    const { db, read } = this.#access
    return read(() => countCodecKeys(db))
  }

  /** What changed nothing is no entry. */
  #act<T>(
    work: (ends: Ends) => Query<T>,
    audit: AuditRecord | undefined,
    hasChanged: (told: T) => boolean,
  ): Promise<T> {
    return this.#access.end(function* (ends) {
      const told = yield* work(ends)
      yield* audited(ends.db, hasChanged(told), { now: ends.now, audit })
      return told
    })
  }
}
