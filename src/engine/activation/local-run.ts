// One run that is not stored, and what its handles see of it.
import type { Timer } from '../../lib/clock.ts'
import { Ring } from '../../lib/ring.ts'
import type { Neighbour } from '../../lib/roster.ts'
import { retryRefused } from '../../model/errors.ts'
import { forkRefused, resolveRefused, resumeRefused } from '../../model/intervention-errors.ts'
import { runNotStored } from '../../model/message-errors.ts'
import type { CancelAnswer } from '../../store/cancels.ts'
import type {
  Claimed,
  EmitCursor,
  EmittedRow,
  FinishedRun,
  Held,
  RememberedAttempt,
  RememberedState,
  SettleRecord,
} from '../../store/store.ts'
import type { RunView, LogRow } from '../../store/views.ts'
import type { Activation } from './activation.ts'
import type { CancelOrder } from './cancel-order.ts'
import type { AnyDefinition } from '../definition/definition.ts'
import type { RunFeed } from '../watch/run-feed.ts'
import { Ear, lookAgain, type News } from '../watch/ear.ts'

/** What is started. */
export interface LocalOrder {
  readonly definition: AnyDefinition
  readonly id: string
  /** Encoded. */
  readonly input: string
  readonly dueAt: number | null
  readonly deadlineAt: number | null
}

const none: readonly never[] = []

/** Is its own claim, as nobody else can have it. */
export class LocalRun implements Claimed, Held, Neighbour<LocalRun> {
  older: LocalRun | undefined
  younger: LocalRun | undefined
  readonly runId = 0
  readonly generation = 1
  readonly epoch = 1
  readonly id: string
  readonly definition: AnyDefinition
  readonly definitionId = 0
  readonly input: string
  readonly deliveries = 0
  readonly hasBegun = true
  readonly createdAt: number
  readonly deadlineAt: number | null
  readonly expiresAt = null
  readonly correlationId = null
  readonly depth = 0
  readonly retry = null
  readonly isUnchecked = false
  readonly undoing = undefined
  readonly steps = none
  readonly formerSteps = undefined
  readonly lives = undefined
  readonly scheduledAt = null
  readonly waits = none
  readonly awaiting = undefined
  readonly awaitingSteps = none
  attempt = 1
  failedAttempts: readonly RememberedAttempt[] = none
  states: readonly RememberedState[] = none
  /** When its first attempt began. */
  begunAt: number | undefined
  activation: Activation | undefined
  timer: Timer | undefined
  dueAt: number | undefined
  /** When it is tried again, once its activation has ended. */
  nextAt: number | undefined
  /** Asked for when it was cleaning up: it is not tried again. */
  cancelReason: string | undefined
  progress: { readonly done: number; readonly total: number } | undefined
  finished: FinishedRun | undefined
  finishedAt: number | undefined
  code: string | null = null
  #messages: Ring<EmittedRow> | undefined
  #said = 0
  #ears: Set<Ear> | undefined
  #isAsked = false
  #whenFinished: ((finished: FinishedRun) => void)[] | undefined

  constructor({ id, definition, input, deadlineAt }: LocalOrder, now: number) {
    this.id = id
    this.definition = definition
    this.input = input
    this.deadlineAt = deadlineAt
    this.createdAt = now
  }

  get held(): Held {
    return this
  }

  get name(): string {
    return this.definition.name
  }

  get startedAt(): number {
    return this.begunAt ?? this.createdAt
  }

  begin(now: number): void {
    this.begunAt ??= now
  }

  /** The first end is the end. */
  settle({ outcome, value, code }: Pick<SettleRecord, 'outcome' | 'value' | 'code'>): void {
    if (this.finished !== undefined) return
    this.finished = { outcome, value }
    this.code = code
  }

  say(value: string): void {
    this.#messages ??= new Ring()
    // Invariant: I15. Also over all attempts.
    if (this.#messages.size >= this.definition.settings.messages.keep) this.#messages.shift()
    this.#messages.push({ epoch: 1, n: ++this.#said, value })
    this.#tell(lookAgain)
  }

  keep(key: string, value: string | null): void {
    const others = this.states.filter((state) => state.key !== key)
    this.states = value === null ? others : [...others, { key, value }]
  }

  fail(startedAt: number): void {
    const [known] = this.failedAttempts
    this.failedAttempts = [{ path: '', failed: this.attempt, firstStartedAt: known?.firstStartedAt ?? startedAt }]
  }

  tryAgain(attempt: number, at: number): void {
    this.attempt = attempt
    this.nextAt = at
  }

  /** Tells everyone who waits for it. */
  end(now: number): void {
    const finished = this.finished as FinishedRun
    this.finishedAt = now
    for (const tell of this.#whenFinished ?? none) tell(finished)
    this.#whenFinished = undefined
    this.#tell({ finished })
  }

  /** Whether somebody waits for its result, or did. */
  get isAwaited(): boolean {
    return this.#isAsked || [...(this.#ears ?? none)].some(({ awaitsEnd }) => awaitsEnd)
  }

  whenFinished(): Promise<FinishedRun> {
    this.#isAsked = true
    if (this.finishedAt !== undefined) return Promise.resolve(this.finished as FinishedRun)
    return new Promise((resolve) => (this.#whenFinished ??= []).push(resolve))
  }

  listen(awaitsEnd: boolean): Ear {
    const ears = (this.#ears ??= new Set())
    const ear = new Ear((closed) => void ears.delete(closed), awaitsEnd)
    ears.add(ear)
    return ear
  }

  /** The messages after number `n`, at most `limit`. */
  said(n: number, limit: number): EmittedRow[] {
    const said: EmittedRow[] = []
    const first = this.#messages?.peek()?.n ?? 0
    for (let index = Math.max(0, n + 1 - first); said.length < limit; index++) {
      const next = this.#messages?.at(index)
      if (next === undefined) break
      said.push(next)
    }
    return said
  }

  #tell(news: News): void {
    for (const ear of this.#ears ?? none) ear.hear(news)
  }
}

export interface LocalOwner {
  cancel(run: LocalRun, reason: string): CancelAnswer
}

export class LocalFeed implements RunFeed {
  readonly #run: LocalRun
  readonly #owner: LocalOwner

  constructor(run: LocalRun, owner: LocalOwner) {
    this.#run = run
    this.#owner = owner
  }

  get id(): string {
    return this.#run.id
  }

  get name(): string {
    return this.#run.name
  }

  get isHere(): boolean {
    return this.#run.finishedAt === undefined
  }

  listen(awaitsEnd: boolean): Ear {
    return this.#run.listen(awaitsEnd)
  }

  finished(): FinishedRun | undefined {
    return this.isHere ? undefined : this.#run.finished
  }

  whenFinished(): Promise<FinishedRun> {
    return this.#run.whenFinished()
  }

  messages({ epoch, n }: EmitCursor, limit: number): readonly EmittedRow[] {
    return epoch > this.#run.epoch ? none : this.#run.said(n, limit)
  }

  logs(): readonly LogRow[] {
    return none
  }

  view(): RunView {
    return viewOf(this.#run)
  }

  async cancel({ reason }: CancelOrder): Promise<CancelAnswer> {
    return this.#owner.cancel(this.#run, reason)
  }

  async retry(): Promise<never> {
    throw retryRefused(this.id, 'not_stored')
  }

  async wakeSetAside(): Promise<never> {
    throw resumeRefused(this.id, 'not_stored', this.view().reason ?? undefined)
  }

  async resolve(step: string): Promise<never> {
    throw resolveRefused(this.id, step, 'not_stored')
  }

  async fork(): Promise<never> {
    throw forkRefused(this.id)
  }

  async tell(): Promise<never> {
    throw runNotStored(this.id)
  }

  async ask(): Promise<never> {
    throw runNotStored(this.id)
  }
}

export function viewOf(run: LocalRun): RunView {
  const { id, definition, input, attempt, createdAt, begunAt, finishedAt, dueAt, activation, finished, progress } = run
  return {
    id,
    name: definition.name,
    version: definition.version,
    queue: '',
    state: finished?.outcome ?? (activation === undefined ? 'scheduled' : 'running'),
    code: run.code,
    fingerprint: null,
    generation: 1,
    attempt,
    deliveries: 0,
    createdAt,
    startedAt: begunAt ?? null,
    finishedAt: finishedAt ?? null,
    dueAt: dueAt ?? null,
    node: null,
    tags: null,
    correlationId: null,
    parent: null,
    forkedFrom: null,
    schedule: null,
    scheduledAt: null,
    input,
    value: finished?.value ?? null,
    undoingOutcome: null,
    undoingValue: null,
    done: progress?.done ?? null,
    total: progress?.total ?? null,
    reason: dueAt === undefined || finished !== undefined ? null : { kind: 'timer', until: dueAt },
  }
}
