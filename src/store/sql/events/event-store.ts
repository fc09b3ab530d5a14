// The part of the store that keeps events: each verb one transaction.
import type { EventEnd, EventRecord, EventSlice, EventStore, SubscriptionRecord } from '../../events.ts'
import * as events from './events.ts'
import { endsIn, type Access } from '../database/transaction.ts'

export class SqlEventStore implements EventStore {
  readonly #access: Access

  constructor(access: Access) {
    this.#access = access
  }

  publish(event: EventRecord) {
    const { db, write, now } = this.#access
    return write(() => endsIn(db, now()).outbox.add(event))
  }

  addSubscription(subscription: SubscriptionRecord) {
    const { db, write } = this.#access
    return write(() => events.addSubscription(db, subscription))
  }

  renewSubscriptions(ids: readonly number[], until: number) {
    const { db, write, now } = this.#access
    return write(() => events.renewSubscriptions(db, ids, { now: now(), until }))
  }

  dropSubscription(id: number) {
    const { db, write } = this.#access
    return write(() => events.dropSubscription(db, id))
  }

  listPublishers() {
    const { db, read } = this.#access
    return read(() => events.listPublishers(db))
  }

  take(slice: EventSlice) {
    const { db, write, now } = this.#access
    return write(() => events.takeEvents(db, slice, now()))
  }

  settle(ends: readonly EventEnd[]) {
    const { db, write, now } = this.#access
    return write(() => events.settleEvents(db, ends, endsIn(db, now()).outbox))
  }
}
