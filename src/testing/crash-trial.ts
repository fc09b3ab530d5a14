// One trial: a run from its start to its end, while its engine is dropped at given commits and another one goes on on the same store.

import type { AnyDefinition } from '../engine/definition/definition.ts'
import type { PerformStep } from '../engine/deps.ts'
import type { TroupeOptions } from '../engine/options/options.ts'
import { deferred, type Deferred } from '../lib/deferred.ts'
import { toError } from '../lib/errors.ts'
import { createIds, type Ids } from '../lib/ids.ts'
import { seededRandom } from '../lib/random.ts'
import { isSuspect } from '../model/suspect.ts'
import type { Batch, Committed } from '../store/store.ts'
import type { Troupe } from '../troupe.ts'
import type { RecordedEffects } from './effects.ts'
import { describeCommit } from './journal-points.ts'
import { tellOptions } from './observations.ts'
import { RecordedLog } from './recorded-log.ts'
import { RunNames } from './run-names.ts'
import { Stage, type StagedEngine } from './stage.ts'
import { TrialEffects } from './trial-effects.ts'

/** In the place of a message: the run is cancelled. */
export const cancelRun: unique symbol = Symbol('cancel')

/** Where an engine is dropped: by the commits of its life, counted from 1. */
export interface CrashPlace {
  readonly commit: number
  readonly when: 'before' | 'after'
}

export interface Program {
  readonly definition: AnyDefinition
  readonly definitions: readonly AnyDefinition[]
  readonly input: unknown
  readonly effects: RecordedEffects
  /** What the run is told when it waits for a message of that name, one after the other. */
  readonly messages: Readonly<Record<string, readonly unknown[]>>
  readonly performStep: PerformStep
  readonly troupe: Pick<TroupeOptions, 'config' | 'environment' | 'codec'>
  /** In memory, unless told. */
  readonly store?: string
  readonly patienceMs: number
}

/** How the run ended, in words and values that are the same in every trial. */
export type TrialOutcome =
  | { readonly kind: 'succeeded'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly error: string }
  /** It never ends, and why. */
  | { readonly kind: 'stuck'; readonly error: string }

/** A commit that wrote something of runs, or brought one. */
export interface JournalPoint {
  readonly commit: number
  readonly what: string
}

export interface Trial {
  readonly outcome: TrialOutcome
  readonly effects: TrialEffects
  /** Of the first life. */
  readonly points: readonly JournalPoint[]
  /** Runs had met so many crashes that they were begun one after the other, and so later. */
  readonly hadSuspects: boolean
}

/** Performs the program once. The nth life of the engine ends at the nth of `crashes`; the one after the last goes on to the end. */
export async function runTrial(program: Program, crashes: readonly CrashPlace[]): Promise<Trial> {
  const { patienceMs, store, troupe } = program
  const stage = await Stage.open({ patienceMs, store, codec: troupe.codec })
  try {
    return await new TrialRun(stage, program).run(crashes)
  } finally {
    program.effects.clear()
    await stage.close()
  }
}

interface TrialLife {
  readonly crash: CrashPlace | undefined
  readonly isKilled: Deferred<'killed'>
  readonly points: JournalPoint[]
  commits: number
  engine: StagedEngine | undefined
  /** What the messages are told by. */
  troupe: Troupe | undefined
}

class TrialRun {
  readonly #stage: Stage
  readonly #program: Program
  readonly #names = new RunNames()
  readonly #effects: TrialEffects
  readonly #told = new Map<string, number>()
  readonly #ids: Ids
  #outcome: TrialOutcome | undefined
  #hadSuspects = false
  #life: TrialLife | undefined
  #stuck: Deferred<TrialOutcome> = deferred()

  constructor(stage: Stage, program: Program) {
    this.#stage = stage
    this.#program = program
    this.#effects = new TrialEffects(this.#names)
    this.#ids = seededIds(stage)
    program.effects.clear()
    stage.atRest = () => this.#tellNext()
    stage.whenStuck = (error) => this.#stuck.resolve({ kind: 'stuck', error: this.#names.inText(error) })
  }

  async run(crashes: readonly CrashPlace[]): Promise<Trial> {
    let points: readonly JournalPoint[] | undefined
    for (let index = 0; ; index++) {
      const life = this.#begin(crashes[index])
      const outcome = await Promise.race([life.isKilled.promise, this.#live(life)])
      points ??= life.points
      if (outcome === 'killed') continue
      this.#effects.take(this.#program.effects.notes)
      return { outcome, effects: this.#effects, points, hadSuspects: this.#hadSuspects }
    }
  }

  #begin(crash: CrashPlace | undefined): TrialLife {
    const life = { crash, isKilled: deferred<'killed'>(), points: [], commits: 0, engine: undefined, troupe: undefined }
    this.#life = life
    return life
  }

  /** start → call → result → what goes on beside it */
  async #live(life: TrialLife): Promise<TrialOutcome> {
    const { definitions, performStep, troupe: options } = this.#program
    const engine = this.#stage.prepare({
      troupe: { ...options, global: false, logLevel: 'debug', pools, node: 'trial' },
      definitions,
      log: new RecordedLog(),
      ids: this.#ids,
      performStep,
      committing: (batch) => this.#committing(life, batch),
      committed: (batch, answer) => this.#committed(life, batch, answer),
    })
    life.engine = engine
    await engine.open()
    const { troupe } = engine
    life.troupe = troupe
    // Race: it may have ended, and be forgotten, before the crash of an engine on which others went on.
    this.#outcome ??= await Promise.race([this.#endOf(troupe), this.#stuck.promise])
    const outcome = this.#outcome
    if (outcome.kind !== 'stuck') await Promise.race([this.#restOf(troupe), this.#stuck.promise])
    // What is written from now on is no part of the trial.
    this.#life = undefined
    this.#stage.awaits.clear()
    await troupe.stop({ within: 0 })
    return outcome
  }

  /** Starts the run, or finds it when that was done before. */
  async #endOf(troupe: Troupe): Promise<TrialOutcome> {
    const { definition, input } = this.#program
    const handle = await troupe.call(definition.name, input, { idempotencyKey: 'trial' })
    this.#names.root(handle.id, definition.name)
    this.#stage.awaits.add(handle.id)
    try {
      return { kind: 'succeeded', value: this.#names.inValue(await handle.result()) }
    } catch (error) {
      const { name, message } = toError(error)
      return { kind: 'failed', error: this.#names.inText(`${name}: ${message}`) }
    }
  }

  /** Runs that go on without the one that started them. */
  async #restOf(troupe: Troupe): Promise<void> {
    const left = await troupe.runs({ state: ['ready', 'running', 'parked', 'scheduled'] })
    await Promise.allSettled(left.map(({ id }) => troupe.handle(id).then((handle) => handle.result())))
  }

  #committing(life: TrialLife, batch: Batch): void {
    if (this.#life !== life) return
    life.commits += 1
    this.#names.see(batch, (held) => this.#stage.seen.find(held)?.id)
    if (life.crash?.commit === life.commits && life.crash.when === 'before') this.#kill(life)
  }

  #committed(life: TrialLife, batch: Batch, answer: Committed): void {
    if (this.#life !== life) return
    this.#hadSuspects ||= answer.claimed.flat().some(({ deliveries }) => isSuspect(deliveries))
    const what = describeCommit(batch, answer)
    if (what !== undefined) life.points.push({ commit: life.commits, what })
    for (const { name } of batch.tells) this.#told.set(name, (this.#told.get(name) ?? 0) + 1)
    this.#effects.recorded(this.#program.effects.notes, batch, (held) => this.#stage.seen.find(held)?.id)
    if (life.crash?.commit === life.commits && life.crash.when === 'after') this.#kill(life)
  }

  #kill(life: TrialLife): void {
    this.#effects.crashed(this.#program.effects.notes)
    life.engine?.drop()
    life.isKilled.resolve('killed')
  }

  /** Tells a run what it waits for, as somebody outside does who tells it again unless it was stored. */
  async #tellNext(): Promise<boolean> {
    const troupe = this.#life?.troupe
    if (troupe === undefined) return false
    for (const [name, payloads] of Object.entries(this.#program.messages)) {
      const told = this.#told.get(name) ?? 0
      const [run] = told < payloads.length ? await this.#stage.waitingFor(name, troupe) : []
      if (run === undefined) continue
      const payload = payloads[told]
      // Race: nobody may wait for the answer, which does not come when the engine is dropped.
      const done =
        payload === cancelRun
          ? troupe.cancel(run.id, 'by the test')
          : troupe.tell(run.id, name, payload, tellOptions(run, name))
      void done.catch(() => undefined)
      return true
    }
    return false
  }
}

const pools = { workflow: { min: 1, max: 100 }, task: { min: 1, max: 100 } }

/** The same in every trial. */
function seededIds({ clock }: Stage): Ids {
  const next = seededRandom(1)
  const fill = (bytes: Uint8Array): void => {
    for (let index = 0; index < bytes.length; index++) bytes[index] = next() * 256
  }
  return createIds(clock, { fill, next })
}
