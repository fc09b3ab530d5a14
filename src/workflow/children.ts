// Runs that a workflow starts: each is started once in the life of the run, in the commit that remembers it.
import type { Activation } from '../engine/activation/activation.ts'
import type { StartDraft } from '../engine/starts.ts'
import type { WriteOwner } from '../engine/writes.ts'
import { decode, encode } from '../lib/codec.ts'
import { toError } from '../lib/errors.ts'
import type { StartRecord } from '../store/start.ts'
import type { Committed, RememberedStep } from '../store/store.ts'
import type { UndoRules } from './undoing/undo-options.ts'

export interface ChildOrder {
  readonly path: string
  readonly draft: () => Promise<StartDraft>
  readonly isDetached: boolean
  readonly undo: UndoRules | undefined
}

/** What it needs of the steps of the run that starts it. */
export interface ChildOwner {
  readonly activation: Activation
  nextSeq(): number
  recorded(step: RememberedStep): void
  /** It cannot be started: the code is told, and nothing is remembered. */
  refusedChild(path: string, error: Error): void
}

export class ChildStart implements WriteOwner {
  readonly #owner: ChildOwner
  readonly #order: ChildOrder
  #start: StartRecord | undefined
  #seq = 0

  constructor(owner: ChildOwner, order: ChildOrder) {
    this.#owner = owner
    this.#order = order
  }

  /** check → start */
  async begin(): Promise<void> {
    const { activation } = this.#owner
    const { path, isDetached, undo } = this.#order
    const startedAt = activation.deps.store.now()
    try {
      const { record: start } = await this.#order.draft()
      if (activation.isOver) return
      this.#start = start
      this.#seq = this.#owner.nextSeq()
      const hasUndo = undo !== undefined
      if (hasUndo) activation.hasUndo = true
      const record = { held: activation.held, path, seq: this.#seq, startedAt, start, isDetached, hasUndo }
      activation.write(this, [{ list: 'children', record }])
    } catch (error) {
      this.#owner.refusedChild(path, toError(error))
    }
  }

  written(_write: unknown, { joined }: Committed): void {
    const { id = '', dueAt = null } = this.#start ?? {}
    const result = joined.get(id) ?? { isError: false, value: encode(id) }
    const { around } = this.#owner.activation
    if (!result.isError) around.startedByRun(String(decode(result.value)))
    if (dueAt !== null) around.dueAt(dueAt)
    this.#owner.recorded({ ...result, path: this.#order.path, seq: this.#seq, kind: 'child' })
  }
}
