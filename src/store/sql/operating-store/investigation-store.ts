// The part of the store that keeps who has to be looked at: each verb one read or one transaction.
import type { AuditRecord } from '../../operating.ts'
import type {
  AgeingSlice,
  InvestigationPage,
  InvestigationRecord,
  InvestigationStore,
  StaleRecord,
} from '../../investigations.ts'
import { mapEach } from '../../query.ts'
import type { Access } from '../database/transaction.ts'
import { audited } from './audit.ts'
import { keepInvestigation, listInvestigations } from './investigations.ts'
import { declareStale, listAgeing, listSigns } from './stale.ts'

export class SqlInvestigationStore implements InvestigationStore {
  readonly #access: Access

  constructor(access: Access) {
    this.#access = access
  }

  async list(page: InvestigationPage) {
    const { db, read } = this.#access
    return read(() => listInvestigations(db, page))
  }

  keep(record: InvestigationRecord, audit: AuditRecord) {
    return this.#access.end(function* (ends) {
      const told = yield* keepInvestigation(ends, record, audit.actor)
      yield* audited(ends.db, told === 'kept', { now: ends.now, audit })
      return told
    })
  }

  async listAgeing(slice: AgeingSlice) {
    const { db, read } = this.#access
    return read(() => listAgeing(db, slice))
  }

  async listSigns(runIds: readonly number[]) {
    const { db, read } = this.#access
    return read(() => listSigns(db, runIds))
  }

  declareStale(records: readonly StaleRecord[]) {
    return this.#access.end((ends) => mapEach(records, (record) => declareStale(ends, record)))
  }
}
