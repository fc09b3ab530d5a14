// A run that undoes what it did: its code is led through its journal once more for the functions that undo, and these run, the last step's first.
import type { Timer } from '../../lib/clock.ts'
import { decode, decodeError } from '../../lib/codec.ts'
import { deferred } from '../../lib/deferred.ts'
import { toError } from '../../lib/errors.ts'
import { reviveError } from '../../model/error-classes.ts'
import { joinPath, undoPath } from '../../model/path.ts'
import { undoFailed } from '../../model/undo-errors.ts'
import { storedTime } from '../../engine/verbs/call.ts'
import type { Activation } from '../../engine/activation/activation.ts'
import type { FinishedRun, RememberedStep } from '../../store/store.ts'
import type { WaitRecord } from '../../store/waits.ts'
import { AwaitedRuns } from '../waits/awaited-runs.ts'
import type { Executions } from '../steps/executions.ts'
import type { LookoutOwner } from '../waits/lookout.ts'
import type { StepExecution, StepOwner, StepSpec } from '../steps/step.ts'
import type { UndoRules } from './undo-options.ts'

// Code that asks for nothing for so long never will: it may read a file in between.
const patienceMs = 5_000

// Nothing depends on it, and there may be many.
const rehearsalMs = 300

// What a run started is cancelled when it begins to undo; a child has so long to end before what came before it is undone.
const childEndsMs = 60_000

/** What the code says of something it did, when it asks for that again. */
export interface Known {
  readonly undo: UndoRules | undefined
  /** A run it started goes on without it. */
  readonly isDetached?: boolean
}

/** What it needs of the steps of the run. */
export interface UndoOwner extends LookoutOwner {
  readonly executions: Executions
  /** What was waited for is there before its time was up. */
  came(path: string, then: () => void): void
  /** Whether nothing more is begun here. */
  isClosed(): boolean
}

/** Something to be undone, or a run that has to end first. */
interface Deed {
  readonly step: RememberedStep
  /** The run that the step started. */
  readonly child: string | undefined
}

export class Undoing implements StepOwner {
  readonly #owner: UndoOwner
  readonly #differs: (left: readonly RememberedStep[]) => void
  readonly #deeds: Deed[]
  /** How steps were undone before. */
  readonly #done: ReadonlyMap<string, RememberedStep>
  readonly #known = new Map<string, Known>()
  readonly #unknown: Set<string>
  readonly #recorded = new Map<string, (step: RememberedStep) => void>()
  readonly #isKnown = deferred<void>()
  #awaited: AwaitedRuns | undefined
  #patience: Timer | undefined

  /** `differs` is told what the code does not ask for, and may end this activation. */
  constructor(owner: UndoOwner, differs: (left: readonly RememberedStep[]) => void) {
    const { steps } = owner.activation.claimed
    this.#owner = owner
    this.#differs = differs
    this.#done = new Map(steps.filter(({ kind }) => kind === 'undo').map((step) => [step.path, step]))
    this.#deeds = steps.flatMap((step): Deed[] => {
      if (step.kind === 'child') return [{ step, child: decode(step.value) as string }]
      return step.hasUndo === true ? [{ step, child: undefined }] : []
    })
    this.#unknown = new Set(this.#deeds.map(({ step }) => step.path))
  }

  get activation(): Activation {
    return this.#owner.activation
  }

  /** The code asks again for something it did. */
  know(path: string, known: Known): void {
    this.#known.set(path, known)
    if (!this.#unknown.delete(path)) return
    if (this.#unknown.size === 0) this.#isKnown.resolve()
    else this.#wait()
  }

  over(): void {
    this.#patience?.cancel()
    this.#awaited?.clear()
  }

  /** lead the code through its journal → undo, one after the other → end as was decided */
  async run(code: () => unknown): Promise<void> {
    void this.#lead(code)
    if (this.#unknown.size > 0) await this.#isKnown.promise
    this.#patience?.cancel()
    const left = this.#deeds.map(({ step }) => step).filter((step) => step.hasUndo === true && !this.#isSettled(step))
    if (left.length > 0) this.#differs(left)
    if (this.activation.isOver || this.#isRehearsed(left)) return
    const errors: Error[] = []
    const ends = await this.#endsOfChildren()
    for (const deed of this.#deeds.toReversed()) {
      const error = await this.#undo(deed, ends)
      if (error !== undefined) errors.push(error)
    }
    this.activation.undone(errors)
  }

  /** Nothing is undone where its code is only led this far: tells what would be next. */
  #isRehearsed(left: readonly RememberedStep[]): boolean {
    const { rehearsing } = this.activation.around
    if (rehearsing === undefined) return false
    const next = this.#deeds.findLast(({ step: { path, hasUndo } }) => hasUndo && !this.#done.has(undoPath(path)))
    if (left.length === 0) rehearsing.asked({ path: undoPath(next?.step.path ?? ''), kind: 'undo' })
    return true
  }

  /** It is undone, or the code says how to. */
  #isSettled({ path, isByHand }: RememberedStep): boolean {
    return isByHand === true || this.#done.has(undoPath(path)) || this.#known.get(path)?.undo !== undefined
  }

  // StepOwner

  nextSeq(): number {
    return this.#owner.executions.nextSeq()
  }

  execute(step: StepExecution): void {
    this.#owner.executions.execute(step)
  }

  pause(wait: WaitRecord, due: () => void): void {
    this.#owner.executions.pause(wait, due)
  }

  await(step: StepExecution, wait: WaitRecord): void {
    this.#owner.executions.await(step, wait)
  }

  attempted(path: string): void {
    this.#owner.executions.attempted(path)
  }

  recorded(step: RememberedStep): void {
    this.#recorded.get(step.path)?.(step)
    this.#owner.executions.leave(step.path)
  }

  /** What it returns or throws was decided before. */
  async #lead(code: () => unknown): Promise<void> {
    this.#wait()
    try {
      await code()
    } catch {
      // As it failed before, or because the code has changed: what it did not come to again is told of below.
    }
    this.#isKnown.resolve()
  }

  #wait(): void {
    this.#patience?.cancel()
    const { deps, around } = this.activation
    const mostMs = around.rehearsing === undefined ? patienceMs : rehearsalMs
    this.#patience = deps.clock.after(mostMs, () => this.#isKnown.resolve(), { background: true })
  }

  async #endsOfChildren(): Promise<ReadonlyMap<string, FinishedRun | 'gone'>> {
    const ids = this.#deeds.flatMap(({ child }) => child ?? [])
    try {
      return ids.length === 0 ? new Map() : await this.activation.deps.store.listEnds(ids)
    } catch (error) {
      this.activation.writeFailed(toError(error))
      return new Promise(() => {})
    }
  }

  /** Tells what went wrong; never ends when the activation does first. */
  async #undo({ step, child }: Deed, ends: ReadonlyMap<string, FinishedRun | 'gone'>): Promise<Error | undefined> {
    const { path } = step
    const before = this.#done.get(undoPath(path))
    if (before !== undefined) return errorOf(path, before)
    if (this.#owner.isClosed()) return new Promise(() => {})
    const end = child === undefined ? step : (ends.get(child) ?? (await this.#endOf(path, child)))
    if (step.hasUndo !== true) return undefined
    if (end === undefined) return undoFailed(path, `the run that it started, ${child}, has not ended in time`)
    if (end === 'gone') return undoFailed(path, `the run that it started, ${child}, was deleted`)
    if ('outcome' in end && end.outcome !== 'succeeded') return undefined
    if (step.isByHand === true) return this.#undoByHand(path, end.value)
    return this.#perform(path, end.value)
  }

  /** It was cancelled when this began; one that is detached, or of which the code says nothing, goes on. */
  async #endOf(path: string, child: string): Promise<FinishedRun | 'gone' | undefined> {
    if (this.#known.get(path)?.isDetached !== false) return undefined
    const { deps, claimed } = this.activation
    const own = joinPath(undoPath(path), 'end')
    const before = claimed.waits.find((wait) => wait.path === own)
    const dueAt = before?.dueAt ?? storedTime(deps.store.now() + childEndsMs)
    const awaited = (this.#awaited ??= new AwaitedRuns(this.#owner))
    return new Promise((resolve) => {
      const ended = (end: FinishedRun | 'gone' | undefined): void => {
        resolve(end)
        this.#owner.asked()
      }
      this.#owner.asking()
      this.pause({ path: own, kind: 'run', name: child, dueAt }, () => {
        awaited.remove(own)
        ended(undefined)
      })
      awaited.add({ path: own, id: child, ended: (end) => this.#owner.came(own, () => ended(end)) })
    })
  }

  /** Only its code says whether it can be undone, and that has not come to it when it was tried again and cut short before. */
  #undoByHand(path: string, value: string): Promise<Error | undefined> | Error | undefined {
    const known = this.#known.get(path)
    if (known === undefined) return undoFailed(path, 'it was resolved by hand, and the code has not come to it since')
    return known.undo === undefined ? undefined : this.#perform(path, value)
  }

  async #perform(path: string, value: string): Promise<Error | undefined> {
    const undo = this.#known.get(path)?.undo
    if (undo === undefined) return undoFailed(path, 'the code does not come to it any more, or says nothing of how to')
    const own = undoPath(path)
    const recorded = new Promise<RememberedStep>((resolve) => this.#recorded.set(own, resolve))
    const fn: StepSpec['fn'] = async (step) => {
      await undo.run(decode(value), step)
    }
    const { retry, timeoutMs } = undo
    this.#owner.executions.begin({ path: own, kind: 'undo', fn, retry, timeoutMs, limits: [] }, this)
    return errorOf(path, await recorded)
  }
}

function errorOf(path: string, { isError, value }: RememberedStep): Error | undefined {
  if (!isError) return undefined
  const cause = decodeError(value, reviveError)
  return undoFailed(path, cause.message.replace(/\.$/, ''), cause)
}
