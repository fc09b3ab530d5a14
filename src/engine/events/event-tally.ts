// What this process counts of events, and whether it dispatches any.
import type { EventCounts, NewEvent } from './events.ts'

export class EventTally implements Omit<EventCounts, 'enabled'> {
  isEnabled = true
  /** Anybody here is told any. */
  isHeard = false
  subscriptions = 0
  published = 0
  durable = 0
  fast = 0
  broadcast = 0
  dropped = 0
  dispatched = 0
  delivered = 0
  failed = 0
  dead = 0
  depth = 0
  lastEventAt: number | null = null

  wasPublished({ mode }: Pick<NewEvent, 'mode'>, at: number): void {
    this.published += 1
    this[mode] += 1
    this.lastEventAt = at
  }

  wasDispatched(at: number): void {
    this.dispatched += 1
    this.lastEventAt = at
  }

  counts(): EventCounts {
    const { isEnabled: enabled, isHeard: _, ...counts } = this
    return { enabled, ...counts }
  }
}
