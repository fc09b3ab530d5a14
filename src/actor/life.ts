// The life of one actor: it starts, drains or is killed, is restarted by its supervisor, and ends once.

import { deferred } from '../lib/deferred.ts'
import { toError } from '../lib/errors.ts'
import { isThenable } from '../lib/thenable.ts'
import { Actor, bindActor, keepContext } from './actor.ts'
import { Belongings } from './belongings.ts'
import type { Cell } from './cell.ts'
import { actorFailed, actorKilled, actorRestarted, actorStopped, restartsUsedUp, makeInvalid } from './errors.ts'
import type { ActorResult, EndReason, FailurePhase, StopReason } from './handle.ts'
import { alive, draining, ended, ending, restarting } from './life-state.ts'
import type { Occurrence } from './inspection.ts'
import { Onlookers } from './onlookers.ts'
import type { Siblings } from './siblings.ts'
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

/** Where siblings live: with their parent, or with the system. */
export interface Home {
  readonly children: Siblings
  readonly supervision: Supervision
}

export class Life {
  readonly rebirth: Rebirth | undefined
  /** Whether it was told to stop. */
  isClosing = false
  readonly #cell: Cell
  readonly #parent: Cell | undefined
  readonly #make: Maker
  #isStarted = false
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
    this.#home.children.add(cell)
    core.alive++
    if (name !== undefined) core.names.set(name, cell)
  }

  /** How often it was restarted. */
  get restarts(): number {
    return this.rebirth?.count ?? 0
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

  get hasTooManyTasks(): boolean {
    return this.#belongings !== undefined && this.#belongings.tasks.areTooMany
  }

  /** Aborted when the actor is killed, fails or has ended. */
  get signal(): AbortSignal {
    const { signal } = this.belongings
    if (this.#cell.state === ended || this.#failure !== undefined) this.belongings.release(() => this.whyGone())
    return signal
  }

  get done(): Promise<ActorResult> {
    const onlookers = this.#forOnlookers
    onlookers.done ??= deferred()
    if (this.#result !== undefined) onlookers.done.resolve(this.#result)
    return onlookers.done.promise
  }

  /** Resolves once `started` has ended: to undefined when it went well, else to why it has failed or never will. */
  get startError(): Promise<Error | undefined> {
    const onlookers = this.#forOnlookers
    onlookers.startError ??= deferred()
    if (this.#isStarted) onlookers.startError.resolve(undefined)
    else if (this.isEnding) onlookers.startError.resolve(this.#failure?.error ?? this.whyGone())
    return onlookers.startError.promise
  }

  get #forOnlookers(): Onlookers {
    return (this.#onlookers ??= new Onlookers())
  }

  get #home(): Home {
    return this.#parent === undefined ? this.#cell.core : this.#parent.life.belongings
  }

  /** Makes the actor. */
  begin(): void {
    const cell = this.#cell
    const { core } = cell
    const { running } = core
    // What its constructor asks, it does not ask for the one that spawns it.
    core.running = undefined
    try {
      const actor = construct(this.#make)
      cell.className = actor.constructor.name || cell.className
      bindActor(actor, cell)
      if (this.restarts === 0 && cell.core.observer.isInspecting)
        this.#tell({ type: 'spawned', name: cell.name, parent: this.#parent?.toString() })
      cell.adopt(actor)
    } catch (error) {
      if (cell.actor === undefined && isClass(this.#make)) cell.className = this.#make.name
      this.fail('start', error)
    } finally {
      core.running = running
    }
  }

  started(): void {
    this.#isStarted = true
    this.#tell({ type: 'started' })
    this.#onlookers?.startError?.resolve(undefined)
  }

  /** Closes the door; what was let in is still handled. */
  stop(withinMs?: number): void {
    const cell = this.#cell
    if (cell.state === ended) return
    if (withinMs !== undefined) this.#killAfter(withinMs)
    if (this.isClosing) return
    this.isClosing = true
    cell.closeDoor()
    if (cell.state === restarting) this.#home.supervision.hurry(cell)
    if (cell.state !== alive) return
    cell.state = draining
    cell.wake()
  }

  /** The actor's own wish to end; a permanent one comes back. */
  leave(): void {
    if (this.rebirth?.policy !== 'permanent' || this.isClosing) return this.stop()
    this.#cell.enqueueTurn(() => {
      if (!this.isClosing) this.#home.supervision.childLeft(this.#cell, 'restarted')
    })
  }

  kill(): void {
    const cell = this.#cell
    const { state } = cell
    if (state === ended) return
    this.#end()
    if (state === restarting) {
      this.#failure = undefined
      this.#home.supervision.hurry(cell)
    }
    this.#letGo()
    if (this.#isStarted) void this.#callStopped('killed')
    this.#finish('killed')
  }

  /** Ends the actor with an error, or has it restarted; its children are killed. `message` is what it failed to handle. */
  fail(phase: FailurePhase, thrown: unknown, message?: string): void {
    const error = toError(thrown)
    this.#report({ phase, error }, message)
    if (this.isEnding) return
    this.#failure = { phase, error }
    if (this.rebirth !== undefined) return this.#home.supervision.childLeft(this.#cell, 'failed')
    this.#cell.state = ending
    this.#letGo()
    this.#windDown()
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

  /** Second half of a restart: makes the actor anew, unless it has ended meanwhile. Resolves when `started` has ended. */
  async revive(): Promise<void> {
    if (this.#cell.state !== restarting || this.rebirth === undefined) return
    const restarts = ++this.rebirth.count
    this.#forOnlookers.retired = undefined
    this.#failure = undefined
    this.#cell.state = this.isClosing ? draining : alive
    this.#tell({ type: 'restarted', restarts })
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

  #killAfter(delayMs: number): void {
    const deadline = this.#cell.core.clock.after(delayMs, () => this.kill())
    void this.done.then(() => deadline.cancel())
  }

  async #takeLeave(reason: StopReason): Promise<void> {
    this.#cell.state = restarting
    const why = (): Error => actorRestarted(this.#cell)
    keepContext(this.#cell.actor)
    this.#cell.halt('restart', why)
    if (this.#onlookers !== undefined) {
      this.#onlookers.startError?.resolve(this.#failure?.error ?? why())
      this.#onlookers.startError = undefined
    }
    this.#belongings?.giveBack(why)
    this.#belongings = undefined
    if (this.#isStarted) await this.#callStopped(reason)
  }

  /** Cuts off everything the actor still had before it: what was under way, mail, timers, children. */
  #letGo(): void {
    const why = (): Error => this.whyGone()
    this.#cell.halt('discarded', why)
    this.#belongings?.giveBack(why)
    this.#cell.discardMail()
  }

  /** Stops the children one by one, last started first, then calls `stopped`, then it is over. */
  #windDown(): void {
    if (this.#cell.state === ended) return
    const youngest = this.children?.last
    if (youngest !== undefined) {
      youngest.life.stop()
      void youngest.life.done.then(() => this.#windDown())
      return
    }
    const reason = this.#failure === undefined ? 'stopped' : 'failed'
    const outcome = this.#isStarted ? this.#callStopped(reason) : undefined
    if (outcome === undefined) this.#finish(reason)
    else void outcome.then(() => this.#finish(reason))
  }

  /** A promise only when the hook makes one; never rejects. The first error of a life is kept. */
  #callStopped(reason: StopReason): Promise<void> | undefined {
    this.#isStarted = false
    const failed = (thrown: unknown): void => {
      const failure: Failure = { phase: 'stop', error: toError(thrown) }
      this.#report(failure)
      if (reason === 'stopped') this.#failure ??= failure
    }
    try {
      const outcome = this.#cell.core.runAs(this.#cell, () => this.#cell.actor?.stopped?.(reason))
      return isThenable(outcome) ? Promise.resolve(outcome).then(() => undefined, failed) : undefined
    } catch (error) {
      failed(error)
      return undefined
    }
  }

  /** Ends the life, as failed when there is a failure. */
  #finish(kind: EndReason): void {
    if (this.#result !== undefined) return
    const cell = this.#cell
    const failure = this.#failure
    const result: ActorResult = {
      kind,
      ...(failure !== undefined && { ...failure, kind: 'failed' }),
      // What stands for others is not theirs to see.
      ...(cell.actor !== undefined &&
        cell.protocol?.prototype === Object.getPrototypeOf(cell.actor) && { actor: cell.actor }),
    }
    this.#result = result
    this.#end()
    this.#letGo()
    cell.core.bookEnd(cell)
    this.#tell({ type: 'ended', kind: result.kind, ...(failure !== undefined && { error: failure.error }) })
    this.#onlookers?.startError?.resolve(failure?.error ?? this.whyGone())
    this.#onlookers?.done?.resolve(result)
    for (const watching of this.#onlookers?.watchers ?? []) watching.hasEnded(cell, result)
    this.#onlookers?.watchers.clear()
    if (failure !== undefined && this.#belongings?.escalates) this.#parent?.life.fail('handle', failure.error)
  }

  // Invariant: whoever is in the list of a parent has not ended, or one that ends all of them would go on for ever.
  #end(): void {
    if (this.#cell.state === ended) return
    this.#cell.state = ended
    this.#home.children.remove(this.#cell)
  }

  #report(failure: Failure, message?: string): void {
    const { phase, error } = failure
    const { restarts } = this
    const actor = this.#cell.toString()
    const at = [phase, message].filter(Boolean).join(' ')
    this.#cell.core.log.error({ actor, phase, message, restarts, error }, `${actor} failed (${at}): ${error.message}`)
    this.#tell({ type: 'failed', ...failure })
  }

  #tell(what: Occurrence): void {
    const { observer } = this.#cell.core
    if (observer.isInspecting) observer.tell({ ...what, actor: this.#cell.toString() })
  }
}

function construct(make: Maker): Actor {
  const made: unknown = isClass(make) ? new make() : make()
  if (!(made instanceof Actor)) throw makeInvalid(made)
  return made
}

function isClass(make: Maker): make is new () => Actor {
  return (make.prototype as unknown) instanceof Actor
}
