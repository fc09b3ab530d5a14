// The timekeeper: what is due, this node's lease, the nodes that died, and what other processes wrote.
import { Actor } from '../../actor/actor.ts'
import type { Timer } from '../../lib/clock.ts'
import { isTroupeError } from '../../lib/errors.ts'
import { runLost } from '../../model/errors.ts'
import { runDeadlinePassed, runExpired } from '../../model/time-errors.ts'
import type { LeaseKeeper } from '../../store/lease.ts'
import type { Expired, ExpiredRun } from '../../store/due.ts'
import type { GivenUpRun } from '../../store/repairs.ts'
import type { NodeIdentity, NodeRow } from '../../store/nodes.ts'
import type { NodeState } from '../committer.ts'
import type { Counts } from '../counts.ts'
import type { Deps } from '../deps.ts'
import { errorText } from '../error-text.ts'
import { ClockSkew } from './clock-skew.ts'
import { Repairs } from './repairs.ts'
import { StaleRuns, type StaleRunsOptions } from './stale-runs.ts'
import type { ScheduleNews } from '../schedule/schedule-keeper.ts'

// How many runs become ready in one transaction.
const wakeAtOnce = 1_000
// With every hint lost, what is due is found by then, and what is ready with the next beat.
const backstopMs = 1_000
// How often the processes of the other nodes of this machine are looked at, and how often at most it is asked who they are.
const neighboursMs = 100
const meetMs = 250
// A main loop that gave no sign of life for so long will not come back: its lease is given up.
const stuckMs = 60_000
// After so many in a row have failed no other thread is started to keep the lease.
const mostFailures = 3

export interface TimekeeperOptions {
  readonly stale: StaleRunsOptions
  readonly node: NodeState
  readonly leaseMs: number
  readonly maxDeliveries: number
  readonly counts: Counts
  /** Whether it mends what nobody would come back to. */
  readonly repairs: boolean
  /** Whether the process of another node is certainly gone. */
  readonly isProvedDead: (identity: NodeIdentity) => boolean
  /** Runs of this node, to be told apart from what the store thinks it holds. */
  readonly isHeld: (runId: number) => boolean
  /** Something may have become ready, or was asked of this node. */
  readonly hint: () => void
  /** These runs ended while they waited. */
  readonly expired: (runs: readonly Expired[]) => void
  /** These runs failed, because too many processes died while they ran them. */
  readonly givenUp: (runs: readonly GivenUpRun[], error: Error) => void
  /** Starts the runs of schedules that are due. */
  readonly fireSchedules: () => Promise<ScheduleNews>
  /** The lease could not be renewed in time: what runs here may be taken away. */
  readonly leaseInDoubt: () => void
  /** Somebody asks this node to stop; told again with each look. */
  readonly drain: () => void
  /** A newer version has changed the schema of the store: nothing is written from here any more. */
  readonly outdated: (error: Error) => void
}

export class Timekeeper extends Actor {
  readonly #deps: Deps
  readonly #options: TimekeeperOptions
  readonly #repairs: Repairs
  readonly #stale: StaleRuns
  readonly #clockSkew: ClockSkew
  #isDoubtful = false
  // The other nodes, as they were when they were last looked up.
  #others: readonly NodeRow[] = []
  #metAtMs = 0
  #look: Timer | undefined
  /** There is no other node, and no reason to think so. */
  #isAlone = false
  #mayHaveNew = true
  #next: { at: number; timer: Timer } | undefined
  #expiry: Timer | undefined
  #keeper: LeaseKeeper | undefined
  #failures = 0

  constructor(deps: Deps, options: TimekeeperOptions) {
    super()
    this.#deps = deps
    this.#options = options
    this.#repairs = new Repairs(deps, options)
    this.#stale = new StaleRuns(deps, options.stale)
    this.#clockSkew = new ClockSkew(deps, options.node)
  }

  override async started(): Promise<void> {
    const { leaseMs } = this.#options
    this.#trust(leaseMs)
    this.#keepLease()
    await this.#guarded('looking for dead nodes', () => this.rescue())
    await this.#lookAtClock()
    await this.wake()
    this.ctx.every(Math.floor(leaseMs / 3), () => this.beat())
    this.ctx.every(backstopMs, () => this.wake())
    this.#lookLater()
  }

  /** Something is due at `at`; earlier news replace later ones. */
  dueAt(at: number): void {
    if (this.#next !== undefined && this.#next.at <= at) return
    this.#next?.timer.cancel()
    const delayMs = Math.max(0, at - this.#deps.store.now())
    const timer = this.#deps.clock.after(delayMs, () => this.#ring(), { background: true })
    this.#next = { at, timer }
  }

  /** Makes ready what is due. */
  async wake(): Promise<void> {
    await this.#guarded('waking what is due', async () => {
      const valueOf = ({ name, timeoutMs, isUnbegun }: ExpiredRun): string =>
        errorText((isUnbegun ? runExpired : runDeadlinePassed)(name, timeoutMs))
      const expired = await this.#deps.store.expireRuns(wakeAtOnce, valueOf)
      this.#options.expired(expired)
      // Others may have waited for their end.
      if (expired.length > 0) this.#options.hint()
      const { woken, nextDueAt, nextScheduleAt } = await this.#deps.store.wakeRuns(wakeAtOnce)
      if (nextDueAt !== null) this.dueAt(nextDueAt)
      if (woken > 0) this.#options.hint()
      if (nextScheduleAt !== null) await this.#fireSchedules(nextScheduleAt)
    })
  }

  /** Renews the lease, looks for nodes that died and for runs that no hint told of, and mends what is left behind. */
  async beat(): Promise<void> {
    await this.#guarded('renewing the lease', async () => {
      await this.#renew()
      await this.rescue()
      this.#options.hint()
    })
    await this.#lookAtClock()
    await this.#guarded('looking for stale runs', () => this.#stale.look())
    if (this.#options.repairs) await this.#guarded('looking for what nobody would wake', () => this.#repairs.sweep())
  }

  /** There may be work, nodes, or requests that this node has yet to hear of. */
  othersWrote(): void {
    this.#mayHaveNew = true
    if (this.#isAlone) this.#lookLater()
    this.#options.hint()
  }

  /** The store may think that this node holds runs that it does not. */
  doubt(): void {
    this.#isDoubtful = true
  }

  /** Gives the runs of dead nodes to whoever is free. */
  async rescue(): Promise<void> {
    const { store } = this.#deps
    await this.#meet()
    const dead = this.#others
      .map((node) => this.#verdict(node))
      .filter(({ isExpired, isProved }) => isExpired || isProved)
    this.#goOn(await this.#releaseUnheld(), 'that could not be written')
    if (dead.length === 0) return
    const { maxDeliveries, counts } = this.#options
    const error = runLost(maxDeliveries)
    const value = errorText(error)
    const { released, givenUp } = await store.rescueNodes(dead, { maxDeliveries, value })
    this.#goOn(released, 'whose process died')
    counts.givenUp += givenUp.length
    if (givenUp.length > 0) this.#options.givenUp(givenUp, error)
    // Slots are free that were no run's.
    this.#options.hint()
  }

  override async stopped(): Promise<void> {
    this.#next?.timer.cancel()
    this.#expiry?.cancel()
    await this.#keeper?.stop()
  }

  #goOn(runs: number, which: string): void {
    if (runs === 0) return
    this.#options.counts.rescued += runs
    this.#deps.log.info({ runs }, `goes on with ${runs} ${runs === 1 ? 'run' : 'runs'} ${which}`)
    this.#options.hint()
  }

  /** Looks only after the store failed to write, when memory and store may disagree: it is a scan. */
  async #releaseUnheld(): Promise<number> {
    if (!this.#isDoubtful) return 0
    // Race: while the store is asked, doubt may come anew.
    this.#isDoubtful = false
    try {
      return await this.#deps.store.releaseUnheld(this.#options.node.nodeId, this.#options.isHeld)
    } catch (error) {
      this.#isDoubtful = true
      throw error
    }
  }

  #verdict(node: NodeRow): { nodeId: number; isExpired: boolean; isProved: boolean } {
    return { nodeId: node.nodeId, isExpired: node.isExpired, isProved: this.#options.isProvedDead(node) }
  }

  /** Writes only when nobody else has renewed the lease of late. */
  async #renew(): Promise<void> {
    const { node, leaseMs, leaseInDoubt } = this.#options
    const { store, clock } = this.#deps
    const leftMs = this.#keeper === undefined ? 0 : store.leaseLeftMs(node.nodeId)
    if (leftMs > leaseMs * 0.6) return this.#trust(leftMs)
    const askedAt = clock.monotonic()
    const { nodeId } = node
    const isAlive = await store.renewNode(nodeId, leaseMs)
    // Race: a commit has found out first and started this node anew, which may have claimed since.
    if (nodeId !== node.nodeId) return
    // Declared dead: what ran here is another's now. The next commit starts this node anew.
    if (!isAlive) leaseInDoubt()
    this.#trust(askedAt + leaseMs - clock.monotonic())
  }

  /**
   * Invariant: I9. Others may take over when the lease ends; this node stops a fifth of it earlier, also while a renewal is under way.
   * Race: when this is late because a handler held the loop, the lease may have been renewed meanwhile; the store knows.
   */
  #trust(leftMs: number): void {
    const { node, leaseMs, leaseInDoubt } = this.#options
    const { clock, store } = this.#deps
    const marginMs = leaseMs * 0.2
    const giveUp = (): void => {
      const stillMs = this.#keeper === undefined ? 0 : store.leaseLeftMs(node.nodeId)
      if (stillMs > marginMs) return this.#trust(stillMs)
      this.#isDoubtful = true
      leaseInDoubt()
    }
    this.#expiry?.cancel()
    this.#expiry = clock.after(leftMs - marginMs, giveUp, { background: true, upkeep: true })
  }

  #keepLease(): void {
    const { node, leaseMs, leaseInDoubt } = this.#options
    const { log, store } = this.#deps
    this.#keeper = store.keepLease({
      nodeId: node.nodeId,
      leaseMs,
      stuckMs,
      lost: (nodeId) => {
        if (nodeId === node.nodeId) leaseInDoubt()
      },
      failed: (error) => {
        this.#keeper = undefined
        this.#failures += 1
        log.warn({ err: error }, 'the thread that renews the lease of this node failed: it is renewed by the main loop')
        if (this.#failures < mostFailures) this.ctx.after(leaseMs, () => this.#keepLease())
      },
    })
  }

  async #meet(): Promise<void> {
    this.#metAtMs = this.#deps.clock.monotonic()
    this.#mayHaveNew = false
    const nodes = await this.#deps.store.listNodes()
    const { node, drain } = this.#options
    this.#others = nodes.filter(({ nodeId }) => nodeId !== node.nodeId)
    if (nodes.some(({ nodeId, isDraining }) => nodeId === node.nodeId && isDraining)) drain()
  }

  #lookAtClock(): Promise<void> {
    return this.#guarded('looking at the clock', () => this.#clockSkew.look())
  }

  /** Whether a process of this machine is gone needs no store to be seen, so it is seen at once; what it ran goes on here. */
  async #lookAtNeighbours(): Promise<void> {
    this.#keeper?.beat(this.#options.node.nodeId)
    const nowMs = this.#deps.clock.monotonic()
    // Should the store be away, that is not told ten times a second.
    let isAway = true
    await this.#guarded('looking for dead processes', async () => {
      if (this.#mayHaveNew && nowMs - this.#metAtMs >= meetMs) await this.#meet()
      if (this.#others.some((node) => this.#options.isProvedDead(node))) await this.rescue()
      isAway = false
    })
    this.#lookLater(isAway)
  }

  /** Measured: ten looks a second take 0.15 % of a core, so a node that is alone takes few. */
  #lookLater(isAway = false): void {
    this.#isAlone = this.#others.length === 0 && !this.#mayHaveNew
    this.#look?.cancel()
    const delayMs = isAway || this.#isAlone ? backstopMs : neighboursMs
    this.#look = this.ctx.after(delayMs, () => this.#lookAtNeighbours())
  }

  async #fireSchedules(nextAt: number): Promise<void> {
    const { store } = this.#deps
    if (nextAt > store.now()) return this.dueAt(nextAt)
    const fired = await this.#options.fireSchedules()
    if (fired.started > 0) this.#options.hint()
    // What is still due could not be fired: that is tried again with the next backstop, not at once.
    if (fired.nextAt !== null && fired.nextAt > store.now()) this.dueAt(fired.nextAt)
  }

  #ring(): void {
    this.#next = undefined
    // A turn, not a message: it may be stopping, and a message would be a dead letter then.
    this.ctx.pipe(Promise.resolve(), () => this.wake())
  }

  /** The store may be away for a while: that is told, and tried again at the next turn. */
  async #guarded(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#deps.log.error({ err: error }, `${what} failed`)
      if (isTroupeError(error, 'store_newer')) this.#options.outdated(error)
    }
  }
}
