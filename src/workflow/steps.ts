// The steps of one activation: remembered ones are given back, new ones executed, and waits may park the run.
import type { Activation } from '../engine/activation.ts'
import { storedTime } from '../engine/call.ts'
import type { Performance } from '../engine/surroundings.ts'
import { decode, decodeError, encode } from '../lib/codec.ts'
import { toError } from '../lib/errors.ts'
import { reviveError } from '../model/error-classes.ts'
import type { RememberedStep } from '../store/store.ts'
import type { WaitRecord } from '../store/waits.ts'
import { Journal } from './journal.ts'
import { Receives, type ReceiveOwner } from './receives.ts'
import { Releases } from './releases.ts'
import { StepLimits, type StepLimitsOwner } from './step-limits.ts'
import { StepExecution, StepRecorder, type StepOwner, type StepSpec } from './step.ts'
import { Waits } from './waits.ts'

// A run whose next wait ends within this stays in memory and needs no replay.
const residentMs = 5_000

// What is recorded of a wait whose time was up before anything came.
const tooLate = encode(null, { maxBytes: 100, what: 'result' })

// What is recorded of a sleep: that it is over.
const nothing = 'u'

// More than a person reads.
const mostNamed = 5

interface Promised {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  /** The name that is free again once the result was given. */
  readonly name: string | undefined
}

export class Steps implements Performance, StepOwner, StepLimitsOwner, ReceiveOwner {
  readonly activation: Activation
  readonly #journal: Journal
  readonly #releases: Releases
  readonly #waits: Waits
  readonly #receives: Receives
  readonly #promised = new Map<string, Promised>()
  readonly #executing = new Map<string, StepExecution>()
  #limits: StepLimits | undefined
  // Steps between the end of their function and their commit, or between an attempt and its pause.
  #underWay = 0
  // How far user code has been led through what it did before, by seq.
  #lastGiven = 0
  // User code is having its turn after a result.
  #isReacting = false
  readonly #lastRemembered: number
  #isDraining = false
  // Draining, the code asked for something new: it waits for the next activation.
  #hasRefused = false
  #isCheckDue = false

  constructor(activation: Activation) {
    const { clock, store } = activation.deps
    this.activation = activation
    this.#journal = new Journal(activation.claimed)
    this.#releases = new Releases(clock, this.#journal, () => this.#restSoon())
    this.#waits = new Waits(clock, () => store.now(), activation.claimed.waits)
    this.#receives = new Receives(this)
    this.#lastRemembered = activation.claimed.steps.at(-1)?.seq ?? 0
    activation.attach(this)
  }

  /** Whether user code repeats what it did before a remembered step, and so says nothing new. */
  get isEcho(): boolean {
    if (this.#lastGiven >= this.#lastRemembered) return false
    // What is said while a step's function runs may be its word, which is new.
    return this.#isReacting || this.#executing.size === 0
  }

  /** Runs a step once in the life of the run; the result is the stored one, now as on every resume. */
  step(spec: StepSpec): Promise<unknown> {
    return this.#promise((promised) => {
      const path = this.#journal.enter(spec.path)
      const remembered = this.#journal.take(path, 'step')
      this.#promised.set(path, { ...promised, name: spec.path })
      if (remembered !== undefined) this.#releaseLater(remembered)
      else this.#begin({ ...spec, path })
    })
  }

  /** Waits until a time, in memory or parked. `dueAt` counts only on first execution. */
  sleepUntil(name: string, dueAt: () => number): Promise<unknown> {
    return this.#promise((promised) => {
      const path = this.#journal.enterUnnamed(name)
      const remembered = this.#journal.take(path, 'sleep')
      this.#promised.set(path, { ...promised, name: undefined })
      if (remembered !== undefined) return this.#releaseLater(remembered)
      const wait = this.#waits.remembered(path) ?? { path, kind: 'sleep', name: null, dueAt: storedTime(dueAt()) }
      const startedAt = this.activation.deps.store.now()
      const recorder = new StepRecorder(this, path, 'sleep')
      this.#wait(wait, () => recorder.record({ isError: false, value: nothing, attempt: 1, startedAt }))
    })
  }

  /** Waits until the run is told something of this name, in memory or parked; null when the time is up before. */
  receive(path: string, name: string, dueAt: () => number | null): Promise<unknown> {
    return this.#promise((promised) => {
      const own = this.#journal.enterUnnamed(path)
      const remembered = this.#journal.take(own, 'receive')
      this.#promised.set(own, { ...promised, name: undefined })
      if (remembered !== undefined) return this.#releaseLater(remembered)
      const wait = this.#waits.remembered(own) ?? { path: own, kind: 'message', name, dueAt: dueAt() }
      const startedAt = this.activation.deps.store.now()
      const recorder = new StepRecorder(this, own, 'receive')
      const record = (value: string, message?: number): void =>
        recorder.record({ isError: false, value, attempt: 1, startedAt, message })
      this.#wait(wait, () => {
        this.#receives.remove(own)
        record(tooLate)
      })
      this.#receives.add({
        path: own,
        name,
        received: ({ value, seq }) => this.#received(own, () => record(value, seq)),
      })
    })
  }

  /** Names a scope for the time `work` takes; the same name may follow, not overlap. */
  async scoped<T>(path: string, work: (path: string) => Promise<T>): Promise<T> {
    if (this.#isClosed()) return new Promise<never>(() => {})
    const entered = this.#journal.enter(path)
    try {
      return await work(entered)
    } finally {
      this.#journal.leave(path)
    }
  }

  /** The code has returned: what it left executing is told of, for it ends with the run, unrecorded. */
  returned(): void {
    const { isOver, deps, claimed } = this.activation
    if (isOver || this.#executing.size === 0) return
    const paths = [...this.#executing.keys()]
    deps.log.warn({ run: claimed.id, steps: paths.slice(0, mostNamed) }, leftText(paths))
  }

  // Performance

  drain(): void {
    this.#isDraining = true
    this.#restSoon()
  }

  mail(): void {
    this.#receives.look()
  }

  over(reason: Error | undefined): void {
    this.#waits.clear()
    this.#receives.clear()
    this.#releases.clear()
    this.#promised.clear()
    this.#limits?.clear()
    if (this.#executing.size === 0) return
    // Steps that the code did not wait for, as the losers of a race.
    const why = reason ?? new Error('The run has ended')
    for (const execution of this.#executing.values()) execution.over(why)
    this.#executing.clear()
  }

  // StepOwner

  nextSeq(): number {
    return this.#journal.nextSeq()
  }

  execute(step: StepExecution): void {
    if (this.activation.isOver) return
    if (step.limits.length === 0) return this.#executeNow(step)
    this.#underWay -= 1
    this.#limits ??= new StepLimits(this)
    this.#limits.enter(step)
    this.#restSoon()
  }

  attempted(path: string): void {
    this.#limits?.leave(path)
  }

  // StepLimitsOwner

  passed(step: StepExecution): void {
    this.#underWay += 1
    this.#executeNow(step)
  }

  refused(step: StepExecution, error: Error): void {
    this.#underWay += 1
    step.refuse(error)
  }

  // ReceiveOwner

  asking(): void {
    this.#underWay += 1
  }

  asked(): void {
    this.#underWay -= 1
    this.#restSoon()
  }

  /** A step rests between two attempts. */
  pause(wait: WaitRecord, due: () => void): void {
    if (this.activation.isOver) return
    this.#underWay -= 1
    this.#wait(wait, due)
  }

  recorded(step: RememberedStep): void {
    this.#underWay -= 1
    this.#executing.delete(step.path)
    if (!this.activation.isOver) this.#releaseLater(step)
  }

  /** A promise that is settled through the journal; never, when the activation is over: then it is garbage. */
  #promise(start: (promised: Omit<Promised, 'name'>) => void): Promise<unknown> {
    const promise = new Promise((resolve, reject) => {
      if (this.#isClosed()) return
      try {
        start({ resolve, reject })
      } catch (error) {
        reject(toError(error))
      }
    })
    // A failure that nobody awaits yet stands in the journal; it must not end the process and all that runs in it.
    promise.catch(() => undefined)
    return promise
  }

  #isClosed(): boolean {
    this.#hasRefused ||= this.#isDraining
    return this.activation.isOver || this.#isDraining
  }

  #executeNow(step: StepExecution): void {
    // What a step's function says is new, whatever the code around it repeats.
    this.#isReacting = false
    this.activation.around.execute(step)
  }

  #begin(spec: StepSpec): void {
    const execution = new StepExecution(this, spec, this.#journal.attemptsOf(spec.path))
    this.#executing.set(spec.path, execution)
    const wait = this.#waits.remembered(spec.path)
    if (wait !== undefined) return this.#wait(wait, () => this.execute(execution))
    this.#underWay += 1
    this.execute(execution)
  }

  /** Nothing of this path executes until the time has come; the run may be parked meanwhile. */
  #wait(wait: WaitRecord, due: () => void): void {
    this.#waits.add(wait, () => {
      this.#underWay += 1
      due()
    })
    this.#restSoon()
  }

  #received(path: string, record: () => void): void {
    if (this.activation.isOver) return
    this.#waits.remove(path)
    this.#underWay += 1
    record()
  }

  #releaseLater(step: RememberedStep): void {
    this.#releases.add(step.seq, () => {
      this.#reactTo(step.seq)
      this.#give(step)
    })
  }

  #reactTo(seq: number): void {
    this.#lastGiven = seq
    if (seq >= this.#lastRemembered) return
    this.#isReacting = true
    this.activation.deps.clock.soon(() => {
      if (this.#lastGiven === seq) this.#isReacting = false
    })
  }

  #give(step: RememberedStep): void {
    const promised = this.#promised.get(step.path)
    if (promised === undefined) return
    this.#promised.delete(step.path)
    if (promised.name !== undefined) this.#journal.leave(promised.name)
    try {
      if (step.isError) promised.reject(decodeError(step.value, reviveError))
      else promised.resolve(decode(step.value))
    } catch (error) {
      promised.reject(toError(error))
    }
  }

  /** How many steps wait for limiters. */
  get #atLimits(): number {
    return this.#limits?.size ?? 0
  }

  /** The next activation goes on at once, or when the waits of this one are over: their times hold. */
  #giveBack(): void {
    if (this.#waits.size === 0) return this.activation.release()
    const isReady = this.#hasRefused || this.#releases.size > 0 || this.#atLimits > 0
    this.activation.park([...this.#waits.records, ...this.#waits.unasked], isReady)
  }

  /** Looks, once user code has had its turn, whether nothing is left to do but wait. */
  #restSoon(): void {
    if (this.#isCheckDue) return
    this.#isCheckDue = true
    this.activation.deps.clock.soon(() => {
      this.#isCheckDue = false
      this.#rest()
    })
  }

  #rest(): void {
    if (this.activation.isOver || this.#underWay > 0) return
    if (this.#isDraining) return this.#giveBack()
    if (this.#releases.size > 0 || this.#waits.size === 0 || this.#atLimits > 0) return
    const untilMs = this.#waits.earliest - this.activation.deps.store.now()
    // What is told is heard by the store first.
    if (untilMs > residentMs || (untilMs > 0 && this.#waits.hasMessage)) this.activation.park(this.#waits.records)
  }
}

function leftText(paths: readonly string[]): string {
  const named = paths.slice(0, mostNamed).map((path) => `'${path}'`)
  const more = paths.length - named.length
  const list = more === 0 ? named.join(', ') : `${named.join(', ')} and ${more} more`
  return paths.length === 1
    ? `Step ${list} was still under way when the workflow returned: await it.`
    : `Steps ${list} were still under way when the workflow returned: await them.`
}
