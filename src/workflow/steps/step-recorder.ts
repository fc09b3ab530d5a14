// What is recorded in the journal of a run: how something ended, and what is published with it.
import type { Activation } from '../../engine/activation/activation.ts'
import { useOfTokens } from '../../engine/activation/later.ts'
import { keptOf, type NewEvent } from '../../engine/events/events.ts'
import type { HeldRecord, WriteOwner } from '../../engine/writes.ts'
import type { RememberedStep, StepKind } from '../../store/store.ts'
import { removeWithin } from '../waits/kept-waits.ts'

/** What is needed of a run to record something in its journal. */
export interface RecordOwner {
  readonly activation: Activation
  nextSeq(): number
  recorded(step: RememberedStep): void
  /** What is published with this end of what is at a path. */
  eventsAt?(path: string, end: AttemptEnd): readonly NewEvent[] | undefined
}

/** How an attempt ended. */
export interface AttemptEnd {
  readonly isError: boolean
  /** Encoded. */
  readonly value: string
  readonly attempt: number
  /** Another attempt follows. */
  readonly isTriedAgain: boolean
}

/** How a step ended. */
export interface RecordedResult {
  readonly isError: boolean
  readonly value: string
  readonly attempt: number
  readonly startedAt: number
  /** The number of the message it received. */
  readonly message?: number | undefined
  /** The number of what it begins to answer, or answers. */
  readonly ask?: number | undefined
  readonly hadToken?: boolean | undefined
  readonly hasUndo?: boolean | undefined
  /** What is published with it. */
  readonly events?: readonly NewEvent[] | undefined
  readonly beside?: readonly HeldRecord[] | undefined
}

/** Records how a step ended and hands the result on once that is durable. */
export class StepRecorder implements WriteOwner {
  readonly #owner: RecordOwner
  readonly #path: string
  readonly #kind: StepKind
  #step: RememberedStep | undefined
  #events: readonly NewEvent[] | undefined

  constructor(owner: RecordOwner, path: string, kind: StepKind) {
    this.#owner = owner
    this.#path = path
    this.#kind = kind
  }

  record(result: RecordedResult): void {
    const { activation } = this.#owner
    const { isError, value, attempt, startedAt, message, ask, hadToken, hasUndo } = result
    this.#events = result.events ?? this.#owner.eventsAt?.(this.#path, { isError, value, attempt, isTriedAgain: false })
    const record = {
      held: activation.held,
      path: this.#path,
      seq: this.#owner.nextSeq(),
      kind: this.#kind,
      attempt,
      isError,
      value,
      startedAt,
      finishedAt: activation.deps.store.now(),
      message,
      ask,
      hadToken,
      hasUndo,
      hadWait: activation.keptWaits?.delete(this.#path),
      events: keptOf(this.#events),
    }
    this.#step = record
    activation.write(this, [{ list: 'steps', record }, ...(result.beside ?? [])])
  }

  /** The newest state of a loop: it takes the place of the one before, and what is in the scope of the turn that is `over` is forgotten. */
  recordTurn(turn: { readonly value: string; readonly over: string; readonly startedAt: number }): void {
    const { activation } = this.#owner
    const step = { path: this.#path, seq: this.#owner.nextSeq(), kind: this.#kind, isError: false, value: turn.value }
    const record = {
      ...turn,
      held: activation.held,
      path: step.path,
      seq: step.seq,
      hadWaits: removeWithin(activation.keptWaits, turn.over),
      hadTokens: useOfTokens(activation) !== undefined,
      finishedAt: activation.deps.store.now(),
    }
    this.#step = step
    activation.write(this, [{ list: 'turns', record }])
  }

  written(): void {
    published(this.#owner.activation, this.#events)
    if (this.#step !== undefined) this.#owner.recorded(this.#step)
  }
}

/** They are durable, as far as they are to be. */
export function published({ around }: Activation, events: readonly NewEvent[] | undefined): void {
  for (const event of events ?? []) around.events.published(event)
}
