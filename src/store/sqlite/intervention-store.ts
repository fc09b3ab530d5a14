// What people do to one run and its journal, each in a transaction of its own.
import type { Forked, ForkRecord, InterventionStore, ResolveRecord, Resolved, Resumed } from '../interventions.ts'
import type { AuditRecord } from '../operating.ts'
import { audited } from './audit.ts'
import { forkRun } from './forks.ts'
import { resolveStep } from './resolving.ts'
import { listSetAside, resumeRuns } from './setting-aside.ts'
import type { Access } from './transaction.ts'

export class SqliteInterventionStore implements InterventionStore {
  readonly #access: Access

  constructor(access: Access) {
    this.#access = access
  }

  fork(fork: ForkRecord, audit: AuditRecord | undefined): Promise<Forked> {
    return this.#access.end((ends) => {
      const forked = forkRun(ends, fork)
      audited(ends.db, forked === 'forked', { now: ends.now, audit })
      return forked
    })
  }

  resolve(result: ResolveRecord, audit: AuditRecord): Promise<Resolved> {
    return this.#access.end((ends) => {
      const resolved = resolveStep(ends, result)
      audited(ends.db, resolved === 'resolved', { now: ends.now, audit })
      return resolved
    })
  }

  resume(ids: readonly string[], audit: AuditRecord | undefined): Promise<Resumed[]> {
    return this.#access.end((ends) => {
      const resumed = resumeRuns(ends, ids)
      audited(ends.db, resumed.includes('resumed'), { now: ends.now, audit })
      return resumed
    })
  }

  listSetAside(ids: readonly string[]): Promise<string[]> {
    return this.#access.read(() => listSetAside(this.#access.db, ids))
  }
}
