// A store on virtual time, and the engines that live on it one after the other: each ends as engines do, or is dropped as by a crash.

import { checkedCoding } from '../engine/options/codecs.ts'
import type { AnyDefinition } from '../engine/definition/definition.ts'
import type { PerformStep } from '../engine/deps.ts'
import type { TroupeOptions } from '../engine/options/options.ts'
import type { Schedule } from '../engine/schedule/schedule.ts'
import type { Inside } from '../engine/options/world.ts'
import type { Clock, Timer, TimerOptions } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'
import { openStore } from '../store/open.ts'
import type { Batch, Committed, Store } from '../store/store.ts'
import { Troupe } from '../troupe.ts'
import { unbindEngine } from '../worker/global.ts'
import { Observations, type SeenRun } from './observations.ts'
import { observedStore } from './observed-store.ts'
import { PerformedCode, type Life } from './performed-code.ts'
import { stuckText, type StuckRun } from './stuck-text.ts'
import { TimeFlow } from './time-flow.ts'
import { VirtualClock } from './virtual-clock.ts'

export interface StageOptions {
  /** In memory, unless told. */
  readonly store?: string | undefined
  readonly codec?: TroupeOptions['codec'] | undefined
  readonly startsAt?: number | undefined
  /** How long, in real time, virtual time stands still for what goes on outside. */
  readonly patienceMs: number
}

export interface EngineOptions {
  readonly troupe: Omit<TroupeOptions, 'definitions' | 'store' | 'log'>
  readonly definitions: readonly AnyDefinition[]
  readonly schedules?: readonly Schedule[]
  readonly log: Log
  readonly performStep: PerformStep
  readonly ids?: Ids
  /** Called around each commit. */
  readonly committing?: (batch: Batch) => void
  readonly committed?: (batch: Batch, answer: Committed) => void
}

// Longer than any test moves time, so that nobody else takes over.
const leaseMs = 3_155_760_000_000

export class Stage {
  readonly clock: VirtualClock
  readonly flow: TimeFlow
  readonly seen = new Observations()
  /** Runs of which the test awaits something that no engine knows of. */
  readonly awaits = new Set<string>()
  /** Called when nothing goes on, before time does: true when that has set something going. */
  atRest: () => Promise<boolean> = async () => false
  /** Called when nothing will ever happen, with why. */
  whenStuck: (text: string) => void = () => {}
  readonly #store: Store
  #engine: StagedEngine | undefined

  private constructor(store: Store, clock: VirtualClock, patienceMs: number) {
    this.#store = store
    this.clock = clock
    this.flow = new TimeFlow({
      clock,
      patienceMs,
      isAwaited: () => this.awaits.size > 0 || this.#engine?.inside?.isAwaited() === true,
      isBusyOutside: () => this.#engine?.code.isBusyOutside === true,
      atRest: () => this.atRest(),
      stuck: (leaps) => this.#tellStuck(leaps),
    })
  }

  static async open({ startsAt, patienceMs, store: url = 'sqlite::memory:', codec }: StageOptions): Promise<Stage> {
    const clock = new VirtualClock(startsAt)
    const store = await openStore(url, { clock, synchronous: 'normal', coding: checkedCoding(codec) })
    return new Stage(store, clock, patienceMs)
  }

  /** For what is there before the first engine. */
  get store(): Store {
    return this.#store
  }

  /** Opens an engine on the store and starts it. */
  async start(options: EngineOptions): Promise<StagedEngine> {
    const engine = this.prepare(options)
    await engine.open()
    return engine
  }

  /** The next engine on the store, which is not open yet. */
  prepare(options: EngineOptions): StagedEngine {
    this.#engine = new StagedEngine(this, this.#store, options)
    return this.#engine
  }

  /** The runs that wait for a message of this name, the longest first. */
  async waitingFor(message: string, troupe: Troupe): Promise<SeenRun[]> {
    const waiting: SeenRun[] = []
    for (const run of this.seen.waitingFor(message)) {
      const status = await troupe.get(run.id)
      if (status?.state === 'parked') waiting.push(run)
      // It was ended while it waited.
      else run.waits = undefined
    }
    return waiting
  }

  /** Tells all who wait why what they wait for does not come. */
  fail(error: Error): void {
    this.whenStuck(error.message)
    for (const runId of this.#engine?.inside?.awaited() ?? []) this.#engine?.inside?.tell(runId, error)
  }

  async close(): Promise<void> {
    this.flow.close()
    await this.#store.close()
  }

  async #tellStuck(leaps: number): Promise<void> {
    const engine = this.#engine
    if (engine === undefined) return
    const find = async (runId: string): Promise<StuckRun | undefined> => {
      const status = await engine.troupe.get(runId)
      return status && { status, performing: engine.code.of(runId) }
    }
    const inVain = leaps === 0 ? '' : ` Time was moved ${leaps} times, to ${this.clock.now()}, and that did not come.`
    for (const runId of new Set([...this.awaits, ...(engine.inside?.awaited() ?? [])])) {
      const run = await find(runId)
      if (run === undefined) continue
      const text = `Nothing goes on any more: ${await stuckText(run, find)}${inVain}`
      this.whenStuck(text)
      engine.inside?.tell(runId, new Error(text))
    }
  }
}

/** One life of an engine. */
export class StagedEngine implements Life {
  readonly code: PerformedCode
  readonly #stage: Stage
  readonly #clock: DroppedClock
  readonly #store: Store
  readonly #options: EngineOptions
  #troupe: Troupe | undefined
  #isOver = false
  inside: Inside | undefined

  constructor(stage: Stage, store: Store, options: EngineOptions) {
    this.#stage = stage
    this.#store = store
    this.#options = options
    this.#clock = new DroppedClock(stage.clock)
    this.code = new PerformedCode(stage.clock, this)
  }

  get troupe(): Troupe {
    if (this.#troupe === undefined) throw new Error('The engine is not open yet.')
    return this.#troupe
  }

  get isOver(): boolean {
    return this.#isOver
  }

  async open(): Promise<void> {
    const options = this.#options
    const { definitions, schedules = [], log, performStep, ids } = options
    const troupe = await Troupe.openIn(
      { ...options.troupe, definitions: [...definitions.map((one) => this.#followed(one)), ...schedules] },
      {
        clock: this.#clock,
        log,
        leaseMs,
        maxDeliveries: Number.MAX_SAFE_INTEGER,
        // Whoever lived here before has ended.
        isProvedDead: () => true,
        parksAtOnce: true,
        store: this.#observed(),
        opened: (inside) => (this.inside = inside),
        performStep: (step, perform) => this.code.perform(step, () => performStep(step, perform)),
        ...(ids && { ids }),
      },
    )
    this.#troupe = troupe
    await troupe.start()
  }

  /** As a crash does: from now on nothing of it reaches the store, and nothing it waits for comes. */
  drop(): void {
    this.#isOver = true
    this.#clock.drop()
    if (this.#troupe !== undefined) unbindEngine(this.#troupe)
  }

  #observed(): Store {
    const { clock, seen } = this.#stage
    const { committing, committed } = this.#options
    return observedStore(this.#store, {
      asked: () => clock.begin(),
      committing: (batch) => committing?.(batch),
      committed: (batch, answer) => {
        seen.committed(batch, answer)
        committed?.(batch, answer)
      },
      published: (name, value) => seen.publishedEvent(name, value),
      named: (definitionId, name) => seen.named(definitionId, name),
      isCutOff: () => this.isOver,
    })
  }

  /** The same definition, whose code is known while it is performed. */
  #followed(definition: AnyDefinition): AnyDefinition {
    const { name, runsOn } = definition
    const perform: AnyDefinition['perform'] = (activation) => {
      const place = { runId: activation.claimed.id, definition: name, path: '' }
      const code = (): unknown => definition.perform(activation)
      return runsOn === 'workflow' ? this.code.follow(place, code) : this.code.perform(place, code)
    }
    return { ...definition, perform }
  }
}

/** A clock whose timers can all be dropped at once. */
class DroppedClock implements Clock {
  readonly #clock: Clock
  readonly #timers = new Set<Timer>()
  #isDropped = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  monotonic(): number {
    return this.#clock.monotonic()
  }

  after(delayMs: number, fn: () => void, options?: TimerOptions): Timer {
    if (this.#isDropped) return { cancel: () => {} }
    const fire = (): void => {
      this.#timers.delete(timer)
      fn()
    }
    const armed = this.#clock.after(delayMs, fire, options)
    const timer: Timer = {
      cancel: () => {
        this.#timers.delete(timer)
        armed.cancel()
      },
    }
    this.#timers.add(timer)
    return timer
  }

  soon(fn: () => void): void {
    this.#clock.soon(() => {
      if (!this.#isDropped) fn()
    })
  }

  drop(): void {
    this.#isDropped = true
    for (const timer of this.#timers) timer.cancel()
  }
}
