// How runs come to a node: the writes that start them, and those that claim what is ready.
import type { Deferred } from '../lib/deferred.ts'
import type { StartRecord, Started } from '../store/start.ts'
import type { Claimed, ClaimRequest, Committed } from '../store/store.ts'
import type { UnkeyedOptions } from './verbs/call.ts'
import type { AnyDefinition, Definition } from './definition/definition.ts'
import type { Draft } from '../store/lists.ts'
import type { Write } from './writes.ts'

/** Checks what a run is to be started with, and makes the record of its start. */
export type DraftStart = (target: Definition | string, input: unknown, options: UnkeyedOptions) => Promise<StartDraft>

export interface StartDraft {
  readonly name: string
  readonly record: StartRecord
}

/** What a caller wants started, before it is known whether it can run here at once. */
export interface StartOrder {
  readonly definition: AnyDefinition
  readonly queue: string
  readonly record: UndecidedStart
  readonly durable: Deferred<Started>
}

/** Whether it runs here at once is written into it as the batch is made. */
export type UndecidedStart = StartRecord & { directly: boolean }

export class StartWrite implements Write {
  readonly #order: StartOrder
  readonly #directly: boolean
  readonly #done: (started: Started | undefined) => void
  #place = -1

  constructor(order: StartOrder, directly: boolean, done: (started: Started | undefined) => void) {
    this.#order = order
    this.#directly = directly
    this.#done = done
  }

  addTo(draft: Draft): void {
    const { record } = this.#order
    record.directly = this.#directly
    this.#place = draft.starts.push(record) - 1
  }

  committed({ started }: Committed): void {
    const mine = started[this.#place]
    if (mine === undefined) return this.failed(new Error('The store gave no answer to a start'))
    this.#done(mine)
    this.#order.durable.resolve(mine)
  }

  failed(error: Error): void {
    this.#done(undefined)
    this.#order.durable.reject(error)
  }
}

/** Runs of one definition that start together, none of them directly. */
export interface ManyStarts {
  readonly definition: AnyDefinition
  readonly records: readonly StartRecord[]
  readonly durable: Deferred<readonly Started[]>
}

export class ManyStartsWrite implements Write {
  readonly #starts: ManyStarts
  readonly #done: (started: readonly Started[]) => void
  #place = -1

  constructor(starts: ManyStarts, done: (started: readonly Started[]) => void) {
    this.#starts = starts
    this.#done = done
  }

  get size(): number {
    return this.#starts.records.length
  }

  addTo(draft: Draft): void {
    this.#place = draft.starts.length
    for (const record of this.#starts.records) draft.starts.push(record)
  }

  committed({ started }: Committed): void {
    const mine = started.slice(this.#place, this.#place + this.size)
    this.#done(mine)
    this.#starts.durable.resolve(mine)
  }

  failed(error: Error): void {
    this.#starts.durable.reject(error)
  }
}

export class ClaimWrite implements Write {
  readonly #request: () => ClaimRequest
  readonly #done: (claimed: readonly Claimed[], isOneHeldBack: boolean) => void
  #place = -1

  /** What is asked for is known when the batch is made: by then there are more free actors than when it was asked. */
  constructor(request: () => ClaimRequest, done: (claimed: readonly Claimed[], isOneHeldBack: boolean) => void) {
    this.#request = request
    this.#done = done
  }

  addTo(draft: Draft): void {
    this.#place = draft.claims.push(this.#request()) - 1
  }

  committed({ claimed, heldBack }: Committed): void {
    this.#done(claimed[this.#place] ?? [], heldBack[this.#place] ?? false)
  }

  failed(): void {
    this.#done([], false)
  }
}
