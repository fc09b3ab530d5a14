// The part of the store that knows schedules: each verb one read or one transaction.
import type { NextTick } from '../../../model/schedule.ts'
import type { Fired, Firing, ScheduleRecord, ScheduleStore } from '../../schedules.ts'
import type { AuditRecord } from '../../operating.ts'
import { audited } from '../operating-store/audit.ts'
import * as schedules from './schedules.ts'
import { fireSchedule } from './ticks.ts'
import { noNode, writeIn, type Access } from '../database/transaction.ts'

export class SqlScheduleStore implements ScheduleStore {
  readonly #access: Access

  constructor(access: Access) {
    this.#access = access
  }

  save(records: readonly ScheduleRecord[], nodeId: number | null): Promise<void> {
    const { db, write } = this.#access
    return write(() => schedules.saveSchedules(db, records, nodeId))
  }

  prune(before: number): Promise<string[]> {
    const { db, write } = this.#access
    return write(() => schedules.pruneSchedules(db, before))
  }

  delete(name: string, audit?: AuditRecord): Promise<boolean> {
    const { db, write, now } = this.#access
    return write(function* () {
      const isDeleted = yield* schedules.deleteSchedule(db, name)
      return yield* audited(db, isDeleted, { now: now(), audit })
    })
  }

  async list() {
    const { db, read } = this.#access
    return read(() => schedules.listSchedules(db))
  }

  async find(name: string) {
    const { db, read } = this.#access
    return read(() => schedules.findSchedule(db, name))
  }

  async listDue(limit: number) {
    const { db, read, now } = this.#access
    return read(() => schedules.listDueSchedules(db, now(), limit))
  }

  async nextAt() {
    const { db, read } = this.#access
    return read(() => schedules.nextScheduleAt(db))
  }

  pause(name: string, goesOn: { readonly next: NextTick | null } | null, audit?: AuditRecord): Promise<boolean> {
    const { db, write, now } = this.#access
    return write(function* () {
      const isThere = yield* schedules.pauseSchedule(db, name, goesOn)
      return yield* audited(db, isThere, { now: now(), audit })
    })
  }

  fire(firing: Firing, audit?: AuditRecord): Promise<Fired> {
    return this.#access.end(function* (ends) {
      const fired = yield* fireSchedule(writeIn(ends, { nodeId: noNode, epoch: 0 }), firing)
      yield* audited(ends.db, fired !== undefined, { now: ends.now, audit })
      return fired
    })
  }
}
