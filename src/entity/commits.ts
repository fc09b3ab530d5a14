// What an entity has handled on its way to the store: one write at a time, each with all that was handled while the one before was under way.
import type { Activation } from '../engine/activation/activation.ts'
import type { HeldRecord, WriteOwner } from '../engine/writes.ts'
import { deferred, type Deferred } from '../lib/deferred.ts'
import type { HandledRecord } from '../store/waits.ts'
import type { EventRecord } from '../store/events.ts'
import type { NewEvent } from '../engine/events/events.ts'
import type { Kept } from './kept.ts'

// Invariant: I15. What is in memory alone, and is done again after a crash.
const mostUnwritten = 500

/** A record, and what to do once it is durable. */
export interface Handled {
  readonly record: HandledRecord
  /** `fast` ones too, which are not in the record. */
  readonly events: readonly NewEvent[]
}

export class Commits implements WriteOwner {
  readonly #activation: Activation
  readonly #kept: Kept
  #waiting: Handled[] = []
  #underWay: readonly Handled[] | undefined
  #room: Deferred<void> | undefined
  #rest: Deferred<void> | undefined

  constructor(activation: Activation, kept: Kept) {
    this.#activation = activation
    this.#kept = kept
  }

  /** Writes this with all that the entity keeps, now or after what is under way. */
  add(handled: Handled): void {
    this.#waiting.push(handled)
    if (this.#underWay === undefined) this.#write()
  }

  /** Resolves once there is room for another; undefined when there is. */
  room(): Promise<void> | undefined {
    if (this.#waiting.length < mostUnwritten) return undefined
    return (this.#room ??= deferred()).promise
  }

  /** Resolves once all is written; undefined when it is. */
  rest(): Promise<void> | undefined {
    if (this.#underWay === undefined) return undefined
    return (this.#rest ??= deferred()).promise
  }

  written(): void {
    const written = this.#underWay ?? []
    this.#underWay = undefined
    if (this.#waiting.length > 0) this.#write()
    for (const handled of written) this.#tell(handled)
    this.#room?.resolve()
    this.#room = undefined
    if (this.#underWay !== undefined) return
    this.#rest?.resolve()
    this.#rest = undefined
  }

  #write(): void {
    const { held } = this.#activation
    this.#underWay = this.#waiting
    this.#waiting = []
    const records: HeldRecord[] = this.#underWay.map(({ record }) => ({ list: 'handled', record }))
    for (const record of this.#kept.takeChanges(held)) records.push({ list: 'states', record })
    this.#activation.write(this, records)
  }

  /** Those who wait in this process need not look. */
  #tell({ record, events }: Handled): void {
    const { around } = this.#activation
    const { ask, reply, starts } = record
    if (ask !== undefined && reply !== undefined) around.post.replies.tell(ask, reply)
    for (const { id } of starts) around.startedByRun(id)
    for (const event of events) around.events.published(event)
  }
}

/** A record of what nobody told the entity. */
export function ownRecord(
  { held }: Pick<Activation, 'held'>,
  values: Partial<HandledRecord> & { readonly events?: readonly EventRecord[] },
): Handled {
  return { record: { held, tells: [], starts: [], events: [], ...values }, events: [] }
}
