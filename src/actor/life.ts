// The life of one actor: it starts, drains or is killed, is restarted by its supervisor, and ends once.

import { deferred } from '../lib/deferred.ts'
import { toError } from '../lib/errors.ts'
import { isThenable } from '../lib/thenable.ts'
import { Actor, bindActor, keepContext } from './actor.ts'
import { Belongings } from './belongings.ts'
import type { Cell } from './cell.ts'
import type { Siblings } from './core.ts'
import { actorFailed, actorKilled, actorRestarted, actorStopped, restartsUsedUp } from './errors.ts'
import type { ActorResult, EndReason, FailurePhase, StopReason } from './handle.ts'
import { alive, draining, ended, ending, restarting } from './life-state.ts'
import { Onlookers } from './onlookers.ts'
import type { Rebirth, Supervision } from './supervision.ts'
import type { Watching } from './watch.ts'

interface Failure {
  readonly phase: FailurePhase
  readonly error: Error
}

type Maker = (() => Actor) | (new () => Actor)

export interface LifeOptions {
  readonly parent: Cell | undefined
  /** A function that makes the actor, or a class that needs no arguments. */
  readonly make: Maker
  /** How the actor is restarted; undefined when it never is. */
  readonly rebirth: Rebirth | undefined
}

export class Life {
  readonly rebirth: Rebirth | undefined
  /** How often it was restarted. */
  restarts = 0
  readonly #cell: Cell
  readonly #parent: Cell | undefined
  readonly #make: Maker
  #isStarted = false
  #isClosing = false
  #belongings: Belongings | undefined
  #failure: Failure | undefined
  #result: ActorResult | undefined
  #onlookers: Onlookers | undefined

  constructor(cell: Cell, { parent, make, rebirth }: LifeOptions) {
    this.#cell = cell
    this.#parent = parent
    this.#make = make
    this.rebirth = rebirth
    const { core, name } = cell
    this.#siblings.add(cell)
    core.alive++
    if (name !== undefined) core.names.set(name, cell)
  }

  /** Whether it is too late to start children, timers and turns. */
  get isEnding(): boolean {
    return this.#cell.state >= restarting
  }

  get belongings(): Belongings {
    return (this.#belongings ??= new Belongings(this.#cell.core.clock, this.#cell))
  }

  get children(): Siblings | undefined {
    return this.#belongings?.children
  }

  get youngestChild(): Cell | undefined {
    return this.#belongings?.children.last
  }

  get hasTooManyTasks(): boolean {
    return this.#belongings !== undefined && this.#belongings.tasks.areTooMany
  }

  /** Aborted when the actor is killed, fails or has ended. */
  get signal(): AbortSignal {
    const { signal } = this.belongings
    const isCutOff = this.#cell.state === ended || this.#failure !== undefined
    if (isCutOff && !signal.aborted) this.belongings.release(this.whyGone())
    return signal
  }

  get done(): Promise<ActorResult> {
    const onlookers = this.#forOnlookers
    if (onlookers.done === undefined) {
      onlookers.done = deferred()
      if (this.#result !== undefined) onlookers.done.resolve(this.#result)
    }
    return onlookers.done.promise
  }

  /** Resolves once `started` has ended: to undefined when it went well, else to why it has failed or never will. */
  get startError(): Promise<Error | undefined> {
    const onlookers = this.#forOnlookers
    if (onlookers.startError === undefined) {
      onlookers.startError = deferred()
      if (this.#isStarted) onlookers.startError.resolve(undefined)
      else if (this.isEnding) onlookers.startError.resolve(this.#whyUnstarted)
    }
    return onlookers.startError.promise
  }

  /** Whether it was told to stop. */
  get isClosing(): boolean {
    return this.#isClosing
  }

  get #forOnlookers(): Onlookers {
    return (this.#onlookers ??= new Onlookers())
  }

  get #siblings(): Siblings {
    return this.#parent === undefined ? this.#cell.core.roots : this.#parent.life.belongings.children
  }

  get #supervision(): Supervision {
    return this.#parent === undefined ? this.#cell.core.supervision : this.#parent.life.belongings.supervision
  }

  /** Makes the actor. */
  begin(): void {
    const cell = this.#cell
    try {
      const actor = construct(this.#make)
      cell.className = actor.constructor.name || cell.className
      bindActor(actor, cell)
      if (this.restarts === 0 && cell.core.observer.isInspecting) this.#tellSpawned()
      cell.adopt(actor)
    } catch (error) {
      if (cell.actor === undefined && isClass(this.#make)) cell.className = this.#make.name
      this.fail('start', error)
    }
  }

  started(): void {
    this.#isStarted = true
    const { observer } = this.#cell.core
    if (observer.isInspecting) observer.tell({ type: 'started', actor: this.#cell.toString() })
    this.#onlookers?.startError?.resolve(undefined)
  }

  /** Closes the door; what was let in is still handled. */
  stop(withinMs?: number): void {
    if (this.#cell.state === ended) return
    if (withinMs !== undefined) this.#setDeadline(withinMs)
    if (this.#isClosing) return
    this.#isClosing = true
    this.#cell.closeDoor()
    if (this.#cell.state === restarting) this.#supervision.hurry(this.#cell)
    if (this.#cell.state !== alive) return
    this.#cell.state = draining
    this.#cell.wake()
  }

  /** The actor's own wish to end; a permanent one comes back. */
  leave(): void {
    if (this.rebirth?.policy !== 'permanent' || this.#isClosing) return this.stop()
    this.#cell.enqueueTurn(() => {
      if (!this.#isClosing) this.#supervision.childLeft(this.#cell, 'restarted')
    })
  }

  kill(): void {
    const { state } = this.#cell
    if (state === ended) return
    this.#cell.state = ended
    if (state === restarting) {
      this.#failure = undefined
      this.#supervision.hurry(this.#cell)
    }
    // Invariant: I16. What was under way is cut off once; a restart or a failure has done it.
    if (state < restarting) this.#cell.halt('discarded', this.whyGone())
    this.#letGo()
    if (this.#isStarted) void this.#callStopped('killed')
    this.#finish('killed')
  }

  /** Ends the actor with an error, or has it restarted; its children are killed. */
  fail(phase: FailurePhase, thrown: unknown): void {
    const error = toError(thrown)
    const cell = this.#cell
    this.#report(phase, error)
    if (this.#cell.state >= restarting) return
    this.#failure = { phase, error }
    if (this.rebirth === undefined) this.#endFailed()
    else this.#supervision.childLeft(cell, 'failed')
  }

  /** Everything that was let in has been handled. */
  drained(): void {
    this.#cell.state = ending
    this.#windDown()
  }

  /** First half of a restart: takes leave of the actor; its mail stays, its children are killed. Resolves when `stopped` has ended. */
  retire(reason: StopReason): Promise<void> {
    if (this.#cell.state >= ending) return Promise.resolve()
    return (this.#forOnlookers.retired ??= this.#takeLeave(reason))
  }

  async #takeLeave(reason: StopReason): Promise<void> {
    this.#cell.state = restarting
    const why = actorRestarted(this.#cell)
    keepContext(this.#cell.actor)
    this.#cell.halt('restart', why)
    this.#forgetStart()
    this.#belongings?.stash.empty()
    this.#belongings?.release(why)
    this.#belongings?.killChildren()
    this.#belongings = undefined
    if (this.#isStarted) await this.#callStopped(reason)
  }

  /** Second half of a restart: makes the actor anew, unless it has ended meanwhile. Resolves when `started` has ended. */
  async revive(): Promise<void> {
    if (this.#cell.state !== restarting) return
    this.restarts++
    this.#forOnlookers.retired = undefined
    this.#failure = undefined
    this.#cell.state = this.#isClosing ? draining : alive
    const { observer } = this.#cell.core
    if (observer.isInspecting)
      observer.tell({ type: 'restarted', actor: this.#cell.toString(), restarts: this.restarts })
    this.begin()
    this.#cell.wake()
    await this.startError
  }

  /** Ends for good an actor that may not be restarted once more; its parent fails too. */
  giveUp(): void {
    if (this.#cell.state >= ending || this.rebirth === undefined) return
    const { phase = 'handle', error: cause } = this.#failure ?? {}
    const error = restartsUsedUp(this.#cell, cause, this.rebirth.budget)
    this.#cell.core.log.error({ actor: this.#cell.toString(), phase, error }, error.message)
    this.#failure = { phase, error }
    this.#cell.state = ending
    this.#finish('failed')
    this.#parent?.life.fail('handle', error)
  }

  whyGone(): Error {
    if (this.#failure !== undefined) return actorFailed(this.#cell, this.#failure.error)
    const wasKilled = this.#result === undefined ? this.#cell.state === ended : this.#result.kind === 'killed'
    return wasKilled ? actorKilled(this.#cell) : actorStopped(this.#cell)
  }

  addWatcher(watching: Watching): void {
    if (this.#result !== undefined) return watching.hasEnded(this.#cell, this.#result)
    this.#forOnlookers.watchers.add(watching)
  }

  removeWatcher(watching: Watching): void {
    this.#onlookers?.watchers.delete(watching)
  }

  #setDeadline(delayMs: number): void {
    this.#forOnlookers.deadlines.push(this.#cell.core.clock.after(delayMs, () => this.kill()))
  }

  #endFailed(): void {
    this.#cell.state = ending
    this.#cell.halt('discarded', this.whyGone())
    this.#letGo()
    this.#windDown()
  }

  /** Cuts off everything the actor still had before it: mail, timers, children. */
  #letGo(): void {
    this.#belongings?.stash.empty()
    this.#cell.discardMail()
    this.#belongings?.release(this.whyGone())
    this.#belongings?.killChildren()
  }

  /** Stops the children one by one, last started first, then calls `stopped`, then it is over. */
  #windDown(): void {
    if (this.#cell.state === ended) return
    const youngest = this.youngestChild
    if (youngest !== undefined) {
      youngest.life.stop()
      void youngest.life.done.then(() => this.#windDown())
      return
    }
    const outcome = this.#isStarted ? this.#callStopped(this.#failure === undefined ? 'stopped' : 'failed') : undefined
    if (outcome === undefined) this.#finish(this.#failure === undefined ? 'stopped' : 'failed')
    else void outcome.then(() => this.#finish(this.#failure === undefined ? 'stopped' : 'failed'))
  }

  /** A promise only when the hook makes one; never rejects. The first error of a life is kept. */
  #callStopped(reason: StopReason): Promise<void> | undefined {
    this.#isStarted = false
    const failed = (thrown: unknown): void => {
      const error = toError(thrown)
      this.#report('stop', error)
      if (reason === 'stopped') this.#failure ??= { phase: 'stop', error }
    }
    try {
      const outcome = this.#cell.core.runAs(this.#cell, () => this.#cell.actor?.stopped?.(reason))
      return isThenable(outcome) ? Promise.resolve(outcome).then(() => undefined, failed) : undefined
    } catch (error) {
      failed(error)
      return undefined
    }
  }

  #finish(kind: EndReason): void {
    if (this.#result !== undefined) return
    const { core, actor: object, name } = this.#cell
    const actor = object === undefined ? {} : { actor: object }
    this.#cell.state = ended
    this.#result = this.#failure === undefined ? { kind, ...actor } : { kind: 'failed', ...this.#failure, ...actor }
    this.#letGo()
    this.#siblings.remove(this.#cell)
    core.bookEnd(this.#cell)
    if (core.observer.isInspecting) this.#tellEnded(this.#result)
    if (name !== undefined) core.names.delete(name)
    if (this.#onlookers !== undefined) this.#tellOnlookers(this.#onlookers, this.#result)
    if (this.#failure !== undefined && this.#belongings?.escalates)
      this.#parent?.life.fail('handle', this.#failure.error)
  }

  #report(phase: FailurePhase, error: Error): void {
    const { core } = this.#cell
    const actor = this.#cell.toString()
    core.log.error({ actor, phase, error }, `${actor} failed (${phase}): ${error.message}`)
    if (core.observer.isInspecting) core.observer.tell({ type: 'failed', actor, phase, error })
  }

  #tellSpawned(): void {
    const { core, name } = this.#cell
    core.observer.tell({ type: 'spawned', actor: this.#cell.toString(), name, parent: this.#parent?.toString() })
  }

  #tellEnded({ kind, error }: ActorResult): void {
    const outcome = error === undefined ? {} : { error }
    this.#cell.core.observer.tell({ type: 'ended', actor: this.#cell.toString(), kind, ...outcome })
  }

  get #whyUnstarted(): Error {
    return this.#failure?.error ?? this.whyGone()
  }

  #forgetStart(): void {
    if (this.#onlookers === undefined) return
    this.#onlookers.startError?.resolve(this.#failure?.error ?? actorRestarted(this.#cell))
    this.#onlookers.startError = undefined
  }

  #tellOnlookers({ startError, done, deadlines, watchers }: Onlookers, result: ActorResult): void {
    for (const deadline of deadlines) deadline.cancel()
    startError?.resolve(this.#whyUnstarted)
    done?.resolve(result)
    for (const watching of watchers) watching.hasEnded(this.#cell, result)
    watchers.clear()
  }
}

function construct(make: Maker): Actor {
  return isClass(make) ? new make() : make()
}

function isClass(make: Maker): make is new () => Actor {
  return (make.prototype as unknown) instanceof Actor
}
