// What comes to a workflow from outside, in one order: messages that it receives, and asks that it answers.
import { readForRun } from '../../engine/activation/unread.ts'
import type { AskRow } from '../../store/asks.ts'
import type { RememberedStep, StepKind } from '../../store/store.ts'
import type { MessageRow, WaitRecord } from '../../store/waits.ts'
import { encode } from '../../lib/codec.ts'
import type { TroupeError } from '../../lib/errors.ts'
import { Answers, askValue, type Answer, type AnswerRecord, type AnswersOwner, type AskedAt } from './answers.ts'
import type { Lookout } from '../../lib/lookout.ts'
import { lookoutOf, type LookoutOwner } from '../waits/lookout.ts'
import { Receives, type ReceiveAsked } from './receives.ts'
import type { Asked } from '../results.ts'
import type { RecordedResult } from '../steps/step-recorder.ts'

// What is recorded of a wait whose time was up before anything came.
const tooLate = encode(null, { maxBytes: 100, what: 'result' })

// So many asks are begun at once; the others come in their turn.
const mostAsksAtOnce = 100

/** What a wait or an ask brought. */
export type Came = Pick<RecordedResult, 'isError' | 'value' | 'message' | 'ask'>

/** What mail needs of the steps of the run. */
export interface MailSteps {
  /** Asks the journal. */
  ask(asked: Asked, begin: (path: string) => void, entered?: (path: string) => void): Promise<unknown>
  /** What a former activation parked with for this path. */
  waitOf(path: string): WaitRecord | undefined
  wait(wait: WaitRecord, due: () => void): void
  came(path: string, record: () => void): void
  recorder(path: string, kind: StepKind): (result: Came) => void
  /** Records what has come and was not waited for. */
  take(path: string, result: Came): void
  /** Records what has to be done now, once in the life of the run. */
  once(path: string, kind: StepKind, result: Came): Promise<unknown>
  isRemembered(path: string): boolean
  /** Whether the code is yet to be given something of what it asked for that is remembered. */
  isRecalling(): boolean
  /** The code has left a scope: nobody waits any more at these paths in it, nor for what a former activation waited for there. */
  left(scope: string, paths: readonly string[]): void
}

export class Mail implements AnswersOwner {
  readonly activation: LookoutOwner['activation']
  readonly #owner: LookoutOwner
  readonly #steps: MailSteps
  readonly #lookout: Lookout
  readonly #receives: Receives
  readonly #answers: Answers
  // Messages that were taken and that the code has not been given.
  #outstanding = 0
  // Where the code was given them, and has not had its turn.
  #given: string[] = []
  #hasAsks = false
  // Their time is up, unless the store knows of something that came before.
  readonly #late = new Map<string, () => void>()
  // Something that came is left until the code has had its turn.
  #isHolding = false
  #hasReceived = false
  #leave: (() => void) | undefined

  constructor(owner: LookoutOwner, steps: MailSteps) {
    this.activation = owner.activation
    this.#owner = owner
    this.#steps = steps
    this.#receives = new Receives(owner)
    this.#answers = new Answers(this)
    this.#lookout = lookoutOf({ owner, isNeeded: () => this.#isWaiting, see: () => this.#see() })
  }

  /** What a run that is parked is woken for beside what its code awaits. */
  get waits(): readonly WaitRecord[] {
    return this.#answers.waits
  }

  /** Waits until the run is told something of this name, in memory or parked; null when the time is up before. */
  receive(asked: string, { name, key }: ReceiveAsked, dueAt: () => number | null): Promise<unknown> {
    let taken: string | undefined
    this.#hasReceived = true
    const given = this.#steps.ask({ path: asked, kind: 'receive', isNamed: false }, (path) => {
      const wait = this.#steps.waitOf(path) ?? { path, kind: 'message', name, key, dueAt: dueAt() }
      const record = this.#steps.recorder(path, 'receive')
      this.#steps.wait(wait, () => {
        this.#late.set(path, () => record({ isError: false, value: tooLate }))
        this.look()
      })
      const received = ({ value, seq }: MessageRow): void => {
        taken = path
        this.#outstanding += 1
        const take = (): void => record({ isError: false, value, message: seq })
        if (this.#late.delete(path)) take()
        else this.#steps.came(path, take)
      }
      this.#receives.add({ path, name, key, received })
      this.look()
    })
    const isGiven = (): void => {
      if (taken !== undefined) this.#given.push(taken)
    }
    given.then(isGiven, isGiven)
    return given
  }

  /** From now on the run answers what it is asked by this name. */
  answer(answer: Answer): void {
    this.#answers.add(answer)
    this.look()
  }

  /** Nothing more of a scope is answered, and then nothing received, of the whole run when it is empty; undefined when nothing is left to be answered first. */
  close(scope: string): Promise<void> | undefined {
    const answered = this.#answers.close(scope)
    if (answered !== undefined) return answered.then(() => this.left(scope))
    this.left(scope)
    return undefined
  }

  /** What the code of a scope answers. */
  answering(scope: string): string | undefined {
    return this.#answers.answering(scope)
  }

  /** Something may have come. */
  look(): void {
    // What is told to a run is no part of its rehearsal.
    if (this.activation.around.rehearsing !== undefined) return
    if (this.#isWaiting) this.#leave ??= this.activation.around.post.mailboxes.open(() => this.look())
    this.#lookout.look()
  }

  /** The code has been given all there is, and had its turn. */
  settled(): void {
    this.#outstanding -= this.#given.length
    for (const path of this.#given.splice(0)) this.#receives.given(path)
    if ((this.#hasAsks && this.#outstanding === 0) || this.#isHolding) this.look()
  }

  recorded(step: RememberedStep): void {
    if (step.kind === 'answer') this.#answers.recorded(step)
  }

  /** Nobody waits any more to be told something in this scope. */
  removeWithin(scope: string): readonly string[] {
    const paths = this.#receives.removeWithin(scope)
    for (const path of paths) if (this.#late.delete(path)) this.#owner.asked()
    return paths
  }

  clear(): void {
    this.#late.clear()
    this.#receives.clear()
    this.#answers.over()
    this.#lookout.end()
    this.#leave?.()
  }

  // AnswersOwner

  asking(): void {
    this.#owner.asking()
  }

  asked(): void {
    this.#owner.asked()
  }

  /** What lost a race there would take the messages of what follows. */
  left(scope: string): void {
    if (scope === '' || this.activation.isOver || !this.#hasReceived) return
    this.#steps.left(scope, this.removeWithin(scope))
  }

  unread(why: TroupeError): void {
    this.#owner.unread(why)
  }

  isRemembered(path: string): boolean {
    return this.#steps.isRemembered(path)
  }

  async take(base: string, ask: { readonly seq: number; readonly value: string } | undefined): Promise<AskedAt> {
    let own = base
    const begin = (path: string): void => {
      if (ask !== undefined) this.#steps.take(path, { isError: false, value: askValue(ask), ask: ask.seq })
    }
    const value = await this.#steps.ask({ path: base, kind: 'ask', isNamed: false }, begin, (path) => (own = path))
    return { path: own, value }
  }

  async answered(path: string, answer: AnswerRecord): Promise<void> {
    // Whoever asked is told what was thrown; the run goes on.
    await this.#steps.once(path, 'answer', answer).catch(() => undefined)
  }

  get #isWaiting(): boolean {
    return this.#receives.size > 0 || this.#answers.isOpen
  }

  /** Invariant: one order. What the code does with what came before comes before. */
  async #see(): Promise<void> {
    const late = [...this.#late]
    // Race: what the code is about to be given again may end the scope of one that waits.
    this.#isHolding = this.#steps.isRecalling()
    if (this.#isHolding) return
    // Race: asks are read first, so no message that came before one of them is overlooked.
    const asks = await this.#listAsks()
    for (const ask of asks) {
      await this.#seeBefore(ask.seq)
      this.#hasAsks = this.#outstanding > 0
      if (this.#hasAsks) return
      await this.#answers.take(ask)
    }
    // There may be more.
    this.#hasAsks = asks.length >= mostAsksAtOnce
    await this.#seeBefore(Infinity)
    if (this.#isHolding || this.activation.isOver) return
    for (const [path, timeUp] of late) {
      if (!this.#late.delete(path)) continue
      this.#receives.remove(path)
      timeUp()
    }
  }

  async #seeBefore(seq: number): Promise<void> {
    await this.#receives.see(seq)
    this.#isHolding = this.#receives.isHolding
  }

  /** What is to be answered next. */
  async #listAsks(): Promise<readonly AskRow[]> {
    const { names } = this.#answers
    if (names.length === 0) return []
    const { deps, held } = this.activation
    const limit = mostAsksAtOnce + this.#answers.takenCount
    return this.#answers.untaken(readForRun(await deps.store.asks.listOpen(held.runId, names, limit)))
  }
}
