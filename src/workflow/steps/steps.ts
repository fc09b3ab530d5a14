// The steps of one activation: remembered ones are given back, new ones executed, and waits may park the run.
import type { Activation } from '../../engine/activation/activation.ts'
import { storedTime } from '../../engine/verbs/call.ts'
import { errorText } from '../../engine/error-text.ts'
import { openWaits } from '../../engine/activation/set-aside.ts'
import type { NewEvent } from '../../engine/events/events.ts'
import type { Performance } from '../../engine/activation/surroundings.ts'
import { leaveUnread } from '../../engine/activation/unread.ts'
import { encode } from '../../lib/codec.ts'
import type { TroupeError } from '../../lib/errors.ts'
import { runNotFound } from '../../model/errors.ts'
import { joinPath } from '../../model/path.ts'
import type { FinishedRun, RememberedStep, StepKind } from '../../store/store.ts'
import { Journal } from '../journal.ts'
import { AwaitedRuns, type ResultDue } from '../waits/awaited-runs.ts'
import { ChildStart, type ChildOrder, type ChildOwner } from '../children.ts'
import { Executions } from './executions.ts'
import { tellOfLeft } from './left-steps.ts'
import type { LookoutOwner } from '../waits/lookout.ts'
import { Mail, type Came } from '../mail/mail.ts'
import { Patches } from '../patches.ts'
import { Resting } from '../waits/resting.ts'
import { Results, type Asked } from '../results.ts'
import { Retrace } from '../retrace.ts'
import type { StepSpec } from './step.ts'
import { StepRecorder, type AttemptEnd, type RecordedResult, type RecordOwner } from './step-recorder.ts'
import { Turns } from '../turns.ts'
import { Undoing, type Known, type UndoOwner } from '../undoing/undoing.ts'
import { nothing, Waits } from '../waits/waits.ts'

/** Makes what is published when an attempt has ended. Never throws. */
export type MakeEvents = (end: AttemptEnd) => readonly NewEvent[]

export class Steps implements Performance, RecordOwner, ChildOwner, LookoutOwner, UndoOwner {
  readonly activation: Activation
  readonly #journal: Journal
  readonly #results: Results
  readonly #retrace: Retrace
  readonly #waits: Waits
  readonly #resting: Resting
  #mail: Mail | undefined
  #awaited: AwaitedRuns | undefined
  #turns: Turns | undefined
  #executions: Executions | undefined
  #patches: Patches | undefined
  #published: Map<string, MakeEvents> | undefined
  readonly undoing: Undoing | undefined

  /** `inTurns`: the code may do something else when it is given results in another order, as a race does. */
  constructor(activation: Activation, inTurns = true) {
    const { clock, store } = activation.deps
    this.activation = activation
    this.#journal = new Journal(activation.claimed)
    this.#results = new Results({
      clock,
      journal: this.#journal,
      lastRemembered: activation.claimed.steps.at(-1)?.seq ?? 0,
      isLocked: activation.claimed.undoing !== undefined,
      inTurns,
      isClosed: () => this.isClosed(),
      mismatched: (stored, asked) => this.#retrace.mismatched(stored, asked),
      settled: () => {
        this.#retrace.look()
        this.#mail?.settled()
        this.#resting.soon()
      },
    })
    this.#waits = new Waits(clock, () => store.now(), openWaits(activation.claimed))
    this.#retrace = new Retrace({ activation, journal: this.#journal, waits: this.#waits, results: this.#results })
    this.#resting = new Resting(activation, {
      waits: this.#waits,
      hasMore: () => this.#results.isUnderWay || this.#retrace.size > 0 || this.#executions?.hasTurnedAway === true,
      history: () => this.#journal.size,
      parking: () => this.#executions?.parking(),
      staying: () => this.#executions?.stay(),
      answers: () => this.#mail?.waits ?? [],
    })
    if (activation.claimed.undoing !== undefined)
      this.undoing = new Undoing(this, (left) => this.#retrace.tellOfLeft(left))
    activation.attach(this)
  }

  /** What comes from outside. Most runs ask for nothing of it. */
  get mail(): Mail {
    return (this.#mail ??= this.#openMail())
  }

  get turns(): Turns {
    return (this.#turns ??= this.#openTurns())
  }

  get executions(): Executions {
    return (this.#executions ??= this.#openExecutions())
  }

  /** Whether a path was executed as a step here before, or was begun: not where it was another run. */
  wasStep(path: string): boolean | undefined {
    const kind = this.#journal.kindAt(path)
    if (kind !== undefined) return kind === 'step'
    return this.#waits.remembered(path) === undefined ? undefined : true
  }

  /** Whether the code repeats what it did before, and so says nothing new. */
  get isEcho(): boolean {
    const isExecuting = this.#executions !== undefined && this.#executions.size > 0
    if (this.undoing !== undefined) return !isExecuting
    return this.#retrace.isOnTheWay || this.#results.isEcho(isExecuting)
  }

  /** Runs a step once in the life of the run; the result is the stored one, now as on every resume. */
  step(spec: StepSpec): Promise<unknown> {
    const asked = { path: spec.path, kind: spec.kind ?? 'step', isNamed: true } as const
    const isTold = this.undoing !== undefined || this.activation.around.rehearsing !== undefined
    const entered = isTold ? (path: string) => this.#know(path, { undo: spec.undo }) : undefined
    return this.#ask(asked, (path) => this.executions.begin(path === spec.path ? spec : { ...spec, path }), entered)
  }

  /** Waits until a time, in memory or parked. `dueAt` counts only on first execution. */
  sleepUntil(name: string, dueAt: () => number): Promise<unknown> {
    return this.#ask({ path: name, kind: 'sleep', isNamed: false }, (path) => {
      const wait = this.#waits.remembered(path) ?? { path, kind: 'sleep', name: null, dueAt: storedTime(dueAt()) }
      const record = this.#recorder(path, 'sleep')
      this.#resting.wait(wait, () => record({ isError: false, value: nothing }))
    })
  }

  /** Starts a run once in the life of this one; its id is what is remembered. */
  async child(order: ChildOrder): Promise<{ readonly id: string; readonly path: string }> {
    let own = order.path
    const begin = (path: string): void => {
      this.#resting.begin()
      void new ChildStart(this, { ...order, path }).begin()
    }
    const asked = { path: order.path, kind: 'child', isNamed: true } as const
    const entered = (path: string): void => {
      own = path
      this.#know(path, order)
    }
    const id = await this.#ask(asked, begin, entered)
    return { id: id as string, path: own }
  }

  /** Waits for the end of a run, in memory or parked. */
  result(asked: string, id: string, dueAt: () => ResultDue): Promise<unknown> {
    return this.#ask({ path: asked, kind: 'result', isNamed: false }, (path) => {
      const { at, late } = dueAt()
      const wait = this.#waits.remembered(path) ?? { path, kind: 'run', name: id, dueAt: at }
      const record = this.#recorder(path, 'result')
      const fail = (error: Error): void => record({ isError: true, value: errorText(error) })
      const awaited = (this.#awaited ??= new AwaitedRuns(this))
      this.#resting.wait(wait, () => {
        awaited.remove(path)
        void late().then((error) => this.activation.isOver || fail(error))
      })
      const ended = (end: FinishedRun | 'gone'): void =>
        this.came(path, () => {
          if (end === 'gone') fail(runNotFound(id))
          else record({ isError: end.outcome !== 'succeeded', value: end.value })
        })
      awaited.add({ path, id, ended })
    })
  }

  /** Asks for a value once in the life of the run. */
  value(name: string, make: () => unknown): Promise<unknown> {
    return this.#ask({ path: name, kind: 'value', isNamed: false }, (path) => {
      this.#resting.begin()
      this.#recorder(path, 'value')({ isError: false, value: encode(make()) })
    })
  }

  /** Publishes events, in the commit that remembers it; throws the error with which that is remembered, and forgotten in the next generation. */
  publish(name: string, make: () => readonly NewEvent[], error?: Error): Promise<unknown> {
    return this.#ask({ path: name, kind: 'value', isNamed: false }, (path) => {
      this.#resting.begin()
      const value = error === undefined ? nothing : errorText(error)
      this.#recorder(path, 'value')({ isError: error !== undefined, value, events: make() })
    })
  }

  /** What is published with the ends of what will be at a path, in the commits that record them. */
  publishAt(path: string, make: MakeEvents): void {
    this.#published ??= new Map()
    this.#published.set(path, make)
  }

  /** Whether an end of what is at a path, or of the run that it starts, was recorded before. */
  hasEnded(path: string): boolean {
    const kind = this.#journal.kindAt(path)
    return kind === 'child' ? this.#journal.kindAt(joinPath(path, 'result')) !== undefined : kind !== undefined
  }

  /** The answer of a patch, one for the whole run. */
  patch(id: string): Promise<boolean> {
    this.#patches ??= new Patches({
      recall: (path) => this.#results.recall(path, 'patch'),
      wasFurther: () => this.#results.hasMore || this.#retrace.isOnTheWay,
      keep: (path) =>
        this.#results.replace(path, () =>
          this.#beginNew(() => this.#recorder(path, 'patch')({ isError: false, value: encode(true) })),
        ),
    })
    return this.#patches.ask(id)
  }

  /** Names a scope for the time `work` takes; the same name may follow, not overlap. */
  async scoped<T>(path: string, work: (path: string) => Promise<T>): Promise<T> {
    if (this.isClosed()) return new Promise<never>(() => {})
    const entered = this.#journal.enter(path)
    try {
      return await work(entered)
    } finally {
      await this.endScope(entered)
      this.#journal.leave(path)
    }
  }

  /** Nothing more of a scope is answered or received, of the whole run when it is empty; undefined when nothing is left to be answered first. */
  endScope(scope: string): Promise<void> | undefined {
    return this.activation.isOver ? undefined : this.#mail?.close(scope)
  }

  /** The name of the answer whose code this scope is in. */
  answering(scope: string): string | undefined {
    return this.#mail?.answering(scope)
  }

  /** Whether the code may come to its end, `end`, here: not before it has asked for all that it did. */
  mayEnd(end: string): boolean {
    return this.activation.isOver || !this.#retrace.ended(end)
  }

  /** The code has returned: what it left executing is told of, for it ends with the run, unrecorded. */
  returned(): void {
    const { isOver, deps, claimed } = this.activation
    const left = this.#executions?.paths ?? []
    if (!isOver && left.length > 0) tellOfLeft(deps.log, claimed.id, left)
  }

  // Performance

  drain(): void {
    this.#resting.drain()
  }

  mailed(): void {
    this.#mail?.look()
    this.#executions?.mailed()
  }

  over(reason: Error | undefined): void {
    this.#waits.clear()
    this.#retrace.clear()
    this.#resting.over()
    this.#mail?.clear()
    this.#awaited?.clear()
    this.undoing?.over()
    this.#results.clear()
    this.#executions?.over(reason)
  }

  // RecordOwner

  nextSeq(): number {
    return this.#journal.nextSeq()
  }

  recorded(step: RememberedStep): void {
    this.#resting.end()
    this.#mail?.recorded(step)
    if (!this.activation.isOver) this.#results.add(step)
  }

  readonly eventsAt = (path: string, end: AttemptEnd): readonly NewEvent[] | undefined =>
    this.#published?.get(path)?.(end)

  // ChildOwner

  refusedChild(path: string, error: Error): void {
    this.#resting.end()
    this.#results.refuse(path, error)
    this.#resting.soon()
  }

  // LookoutOwner

  asking(): void {
    this.#resting.begin()
  }

  asked(): void {
    this.#resting.end()
    this.#resting.soon()
  }

  unread(why: TroupeError): void {
    const { records, unasked } = this.#waits
    const waits = [...records, ...unasked, ...(this.#mail?.waits ?? [])]
    if (!this.activation.isOver) leaveUnread(this.activation, why, waits)
  }

  #ask(asked: Asked, begin: (path: string) => void, entered?: (path: string) => void): Promise<unknown> {
    return this.#results.ask(asked, (path) => this.#retrace.begin({ path, kind: asked.kind }, begin), entered)
  }

  /** The code says how to undo something it did, or that it cannot. */
  #know(path: string, known: Known): void {
    this.undoing?.know(path, known)
    const { rehearsing } = this.activation.around
    if (rehearsing === undefined || known.undo !== undefined) return
    const done = this.#journal.look(path)
    if (done?.hasUndo === true && done.isByHand !== true) rehearsing.lacksUndo(path)
  }

  #beginNew(begin: () => void): void {
    this.#resting.begin()
    this.#retrace.begun()
    begin()
  }

  #openTurns(): Turns {
    return new Turns(this, {
      journal: this.#journal,
      results: this.#results,
      begin: (path, record) => this.#retrace.begin({ path, kind: 'loop' }, () => this.#beginNew(record)),
      // What lost a race would take the messages of the next turn.
      over: (scope) =>
        [this.#waits, this.#mail, this.#awaited, this.#executions].forEach((waiting) => waiting?.removeWithin(scope)),
    })
  }

  #openExecutions(): Executions {
    return new Executions(this.activation, {
      journal: this.#journal,
      results: this.#results,
      retrace: this.#retrace,
      waits: this.#waits,
      resting: this.#resting,
      unread: (why) => this.unread(why),
      eventsAt: this.eventsAt,
    })
  }

  #openMail(): Mail {
    return new Mail(this, {
      ask: (...asked) => this.#ask(...asked),
      waitOf: (path) => this.#waits.remembered(path),
      wait: (wait, due) => this.#resting.wait(wait, due),
      came: (path, record) => this.came(path, record),
      isRemembered: (path) => !this.isClosed() && this.#journal.isRemembered(path),
      isRecalling: () => this.#results.isRecalling,
      recorder: (path, kind) => this.#recorder(path, kind),
      take: (path, result) => this.undoing ?? this.#beginNew(() => this.#recorder(path, 'ask')(result)),
      once: (path, kind, result) => this.#once(path, kind, result),
      left: (scope, paths) => {
        for (const path of this.#retrace.leave(scope, 'receive')) this.#waits.remembered(path)
        for (const path of paths) this.#waits.remove(path)
        this.#resting.soon()
      },
    })
  }

  /** Records what has to be done now, unless a former activation did. */
  #once(path: string, kind: StepKind, result: Came): Promise<unknown> {
    const record = (): void => this.#beginNew(() => this.#recorder(path, kind)(result))
    const begin = (): void => this.#retrace.begin({ path, kind }, record)
    return this.#results.recall(path, kind) ?? this.#results.replace(path, begin)
  }

  isClosed(): boolean {
    return this.activation.isOver || this.#resting.isRefusing()
  }

  /** Something that is recorded once it has come, from its wait on. */
  #recorder(path: string, kind: StepKind): (result: Came & Pick<RecordedResult, 'events'>) => void {
    const startedAt = this.activation.deps.store.now()
    const recorder = new StepRecorder(this, path, kind)
    return (result) => recorder.record({ ...result, attempt: 1, startedAt })
  }

  /** What was waited for is there before its time was up. */
  came(path: string, record: () => void): void {
    if (this.activation.isOver) return
    this.#resting.came(path)
    record()
  }
}
