// Limiters on anything but whole runs: functions of this process and steps wait for slots, in line with runs and with all other nodes, and have them until they are done.
import type { Timer } from '../../lib/clock.ts'
import { deferred, type Deferred } from '../../lib/deferred.ts'
import { toError } from '../../lib/errors.ts'
import { Lookout } from '../../lib/lookout.ts'
import { engineStopped, slotLost } from '../../model/errors.ts'
import type { LimitUse, Turn } from '../../model/limiter.ts'
import type { Entering, LimitedStep, Passed } from '../../store/queues.ts'
import type { Deps } from '../deps.ts'
import type { LimiterRule } from './limits.ts'
import type { Registry } from '../definition/registry.ts'

/** Something that is done under a limiter; the signal aborts when the caller's does, when the slot is lost, and when the engine stops. */
export type LimitedFunction<Output> = (signal: AbortSignal) => Output | Promise<Output>

/** Where limiters find slots for what is no run: an engine. */
export interface LimiterHost {
  /** Whether a definition that is registered there names this limiter. */
  isUsing(rule: LimiterRule): boolean
  runLimited<Output>(order: LimitedOrder, fn: LimitedFunction<Output>): Promise<Output>
}

export interface LimitedOrder extends KeyedLimiter {
  readonly signal: AbortSignal | undefined
}

export interface SlotsOptions {
  readonly registry: Registry
  readonly node: { readonly nodeId: number }
  /** Makes this process a node, whose end would free its slots. */
  readonly join: () => Promise<void>
  readonly opensAt: (at: number) => void
  /** The store does not know this node any more. */
  readonly nodeLost: () => void
}

/** A limiter, and for whom. */
export interface KeyedLimiter {
  readonly rule: LimiterRule
  readonly key: string
}

/** What somebody wants to pass, all at once. */
export interface VisitOrder {
  readonly limits: readonly KeyedLimiter[]
  /** Null for what is not part of a run. */
  readonly step: LimitedStep | null
}

/** Who waits for slots, and then has them. */
export interface Visitor {
  /** It has its place in the lines, and perhaps passes at once. */
  lined?(turn: Turn): void
  /** All of them are there. */
  passed(): void
  /** They will not come, or whoever has them is to end. */
  ended(reason: unknown): void
}

/** Where steps find slots. */
export interface VisitHost {
  visit(order: VisitOrder, visitor: Visitor): Visit
  leave(visit: Visit): void
  /** Its run is set aside, and its place in the lines with it. */
  forget(visit: Visit): void
}

/** From coming to leaving. */
export interface Visit {
  readonly visitor: Visitor
  /** Undefined before it is known by what numbers the store knows its limiters. */
  entering: Entering | undefined
  ticket: number | undefined
  hasLeft: boolean
}

// With every hint lost, whoever may pass does so by then.
const backstopMs = 1_000
// So long those who wait let older runs go first: nodes that can claim them have done so by then.
const patienceMs = 50

export class Slots implements LimiterHost, VisitHost {
  readonly #deps: Deps
  readonly #options: SlotsOptions
  #entering: Visit[] = []
  #leaving: number[] = []
  readonly #waiting = new Map<number, Visit>()
  readonly #holding = new Set<Visit>()
  // Not in the background: who waits keeps the process alive.
  readonly #lookout: Lookout
  #isPatient = true
  #patience: Timer | undefined
  #isClosed = false
  #isEnded = false
  #quiet: Deferred<void> | undefined

  constructor(deps: Deps, options: SlotsOptions) {
    this.#deps = deps
    this.#options = options
    this.#lookout = new Lookout({
      clock: deps.clock,
      isNeeded: () => !this.#isEnded && this.#entering.length + this.#waiting.size + this.#leaving.length > 0,
      look: () => this.#look(),
      backstopMs,
      background: false,
      rested: () => this.#tellWhenQuiet(),
    })
  }

  isUsing(rule: LimiterRule): boolean {
    return this.#options.registry.isUsing(rule)
  }

  /** Waits for a slot, has it until `fn` is done, and frees it. */
  async runLimited<Output>({ rule, key, signal }: LimitedOrder, fn: LimitedFunction<Output>): Promise<Output> {
    signal?.throwIfAborted()
    const passed = deferred<void>()
    const controller = new AbortController()
    const ended = (reason: unknown): void => {
      controller.abort(reason)
      passed.reject(controller.signal.reason)
    }
    const abort = (): void => ended(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    const visit = this.visit({ limits: [{ rule, key }], step: null }, { passed: () => passed.resolve(), ended })
    try {
      await passed.promise
      controller.signal.throwIfAborted()
      return await fn(controller.signal)
    } finally {
      signal?.removeEventListener('abort', abort)
      this.leave(visit)
    }
  }

  /** Waits for slots of all these limiters at once, and has them until it leaves; it leaves also when it has not passed. */
  visit(order: VisitOrder, visitor: Visitor): Visit {
    const visit: Visit = { visitor, entering: undefined, ticket: undefined, hasLeft: false }
    this.#letIn(visit, order).catch((error: unknown) => visitor.ended(toError(error)))
    return visit
  }

  /** Frees what it has, or gives up its place. Harmless to repeat. */
  leave(visit: Visit): void {
    if (visit.hasLeft) return
    visit.hasLeft = true
    this.#holding.delete(visit)
    const { ticket } = visit
    if (ticket === undefined) this.#entering = this.#entering.filter((other) => other !== visit)
    else {
      this.#waiting.delete(ticket)
      this.#leaving.push(ticket)
    }
    this.look()
    this.#tellWhenQuiet()
  }

  forget(visit: Visit): void {
    if (visit.ticket === undefined) return this.leave(visit)
    visit.hasLeft = true
    this.#waiting.delete(visit.ticket)
  }

  /** Somebody may pass who could not before. Costs nothing while nobody waits. */
  look(): void {
    this.#lookout.look()
  }

  /** Whether those who have slots may go on is in doubt. */
  inDoubt(): void {
    for (const { visitor } of this.#holding) visitor.ended(slotLost())
  }

  /** The node starts anew: what it held is free, and who waits does so anew. */
  startAnew(): void {
    this.inDoubt()
    this.#holding.clear()
    this.#leaving = []
    this.#entering.push(...this.#waiting.values())
    this.#waiting.clear()
    for (const visit of this.#entering) visit.ticket = undefined
    this.look()
  }

  /** Nobody waits any more; tells when all are done who have slots. */
  close(): Promise<void> {
    this.#isClosed = true
    this.#turnAway()
    this.#quiet = deferred<void>()
    this.#tellWhenQuiet()
    return this.#quiet.promise
  }

  /** Asks those to end who have slots. */
  release(): void {
    for (const { visitor } of this.#holding) visitor.ended(engineStopped())
  }

  /** Nothing is asked of the store from now on. */
  end(): void {
    this.#isEnded = true
    this.#lookout.end()
    this.#patience?.cancel()
    this.#quiet?.resolve()
  }

  async #letIn(visit: Visit, { limits, step }: VisitOrder): Promise<void> {
    const { registry, join } = this.#options
    if (this.#isClosed) throw engineStopped()
    const uses: LimitUse[] = []
    for (const { rule, key } of limits) {
      const limiterId = await (step === null ? registry.keepLimiter(rule) : registry.useLimiter(rule))
      uses.push({ limiterId, key })
    }
    await join()
    if (this.#isClosed) throw engineStopped()
    if (visit.hasLeft) return
    visit.entering = { uses, step }
    this.#entering.push(visit)
    this.look()
  }

  #tellWhenQuiet(): void {
    if (this.#holding.size === 0 && this.#leaving.length === 0 && !this.#lookout.isLooking) this.#quiet?.resolve()
  }

  /** Whoever comes or leaves in the same turn does so with the others. */
  async #look(): Promise<void> {
    await new Promise<void>((resolve) => this.#deps.clock.soon(resolve))
    await this.#pass()
  }

  async #pass(): Promise<void> {
    const entering = this.#entering
    const leaves = this.#leaving
    const yields = this.#isPatient
    this.#entering = []
    this.#leaving = []
    const { nodeId } = this.#options.node
    try {
      const enters = entering.flatMap((visit) => visit.entering ?? [])
      const passing = { enters, holds: this.#holding.size, leaves, yields }
      const passed = await this.#deps.store.passLimiters(nodeId, passing)
      if (nodeId !== this.#options.node.nodeId || passed.isNodeLost) return this.#comeAgain(entering, passed)
      this.#isPatient = true
      this.#take(entering, passed)
    } catch (error) {
      if (nodeId === this.#options.node.nodeId) this.#leaving.push(...leaves)
      for (const { visitor } of entering) visitor.ended(toError(error))
    }
  }

  /** Race: the node was declared dead meanwhile; those who came go in again once it has started anew. */
  #comeAgain(entering: readonly Visit[], { isNodeLost }: Passed): void {
    this.#entering.push(...entering.filter(({ hasLeft }) => !hasLeft))
    if (this.#isClosed) this.#turnAway()
    else if (isNodeLost) this.#options.nodeLost()
    else this.look()
  }

  #take(entering: readonly Visit[], { tickets, passed, isYielding, opensAt }: Passed): void {
    for (const [place, visit] of entering.entries()) {
      const ticket = tickets[place]
      if (ticket === undefined) continue
      visit.ticket = ticket
      // Race: it left while it came in.
      if (visit.hasLeft) this.#leaving.push(ticket)
      else this.#waiting.set(ticket, visit)
      if (!visit.hasLeft) visit.visitor.lined?.({ ticket, uses: visit.entering?.uses ?? [] })
    }
    if (this.#leaving.length > 0) this.look()
    // Race: they were on their way into the lines while the doors were closed.
    if (this.#isClosed) return this.#turnAway()
    for (const ticket of passed) {
      const visit = this.#waiting.get(ticket)
      if (visit === undefined) continue
      this.#waiting.delete(ticket)
      this.#holding.add(visit)
      visit.visitor.passed()
    }
    if (isYielding) this.#waitForRuns()
    if (opensAt !== null) this.#options.opensAt(opensAt)
  }

  #turnAway(): void {
    for (const { visitor } of [...this.#entering, ...this.#waiting.values()]) visitor.ended(engineStopped())
  }

  #waitForRuns(): void {
    this.#patience ??= this.#deps.clock.after(patienceMs, () => {
      this.#patience = undefined
      this.#isPatient = false
      this.look()
    })
  }
}
