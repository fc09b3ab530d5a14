// The timekeeper: what is due, this node's lease, the nodes that died, and what other processes wrote.
import { Actor } from '../actor/actor.ts'
import type { Timer } from '../lib/clock.ts'
import { toErrorRecord } from '../lib/error-record.ts'
import { runDeadlinePassed, runLost } from '../model/errors.ts'
import type { NodeIdentity, NodeRow } from '../store/store.ts'
import type { NodeState } from './committer.ts'
import type { Deps } from './deps.ts'

// How many runs become ready in one transaction.
const wakeAtOnce = 1_000
// With every hint lost, what is due and what is ready is found by then.
const backstopMs = 1_000
// How often other processes are looked out for: one read of a counter.
const pollMs = 25
// How often the processes of the other nodes of this machine are looked at, and how often at most it is asked who they are.
const neighboursMs = 100
const meetMs = 250

export interface TimekeeperOptions {
  readonly node: NodeState
  readonly leaseMs: number
  readonly maxDeliveries: number
  /** Whether the process of another node is certainly gone. */
  readonly isProvedDead: (identity: NodeIdentity) => boolean
  /** Runs of this node, to be told apart from what the store thinks it holds. */
  readonly isHeld: (runId: number) => boolean
  /** Something may have become ready, or was asked of this node. */
  readonly hint: () => void
  /** These runs ended while they waited. */
  readonly expired: (ids: readonly string[]) => void
  /** The lease could not be renewed in time: what runs here may be taken away. */
  readonly leaseInDoubt: () => void
}

export class Timekeeper extends Actor {
  readonly #deps: Deps
  readonly #options: TimekeeperOptions
  #isDoubtful = false
  #seenChange = 0
  // The other nodes, as they were when they were last looked up.
  #others: readonly NodeRow[] = []
  #metAtMs = 0
  #looksAgainAtMs = 0
  #mayHaveNew = true
  #next: { at: number; timer: Timer } | undefined
  #expiry: Timer | undefined

  constructor(deps: Deps, options: TimekeeperOptions) {
    super()
    this.#deps = deps
    this.#options = options
  }

  override async started(): Promise<void> {
    const { leaseMs } = this.#options
    this.#trustFrom(this.#deps.clock.monotonic())
    this.#seenChange = this.#deps.store.changeCount()
    await this.#guarded('looking for dead nodes', () => this.rescue())
    await this.wake()
    this.ctx.every(Math.floor(leaseMs / 3), () => this.beat())
    this.ctx.every(backstopMs, () => this.wake())
    this.ctx.every(pollMs, () => this.#guarded('looking for what others wrote', async () => this.#poll()))
    this.ctx.every(neighboursMs, () => this.#lookAtNeighbours())
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
      const timedOut = ({ name, timeoutMs }: { readonly name: string; readonly timeoutMs: number }): string =>
        JSON.stringify(toErrorRecord(runDeadlinePassed(name, timeoutMs)))
      this.#options.expired(await this.#deps.store.expireRuns(wakeAtOnce, timedOut))
      const { woken, nextDueAt } = await this.#deps.store.wakeRuns(wakeAtOnce)
      if (nextDueAt !== null) this.dueAt(nextDueAt)
      if (woken > 0) this.#options.hint()
    })
  }

  /** Renews the lease, and looks for nodes that died and for runs that no hint told of. */
  async beat(): Promise<void> {
    await this.#guarded('renewing the lease', async () => {
      await this.#renew()
      await this.rescue()
      this.#options.hint()
    })
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
    const { maxDeliveries } = this.#options
    const value = JSON.stringify(toErrorRecord(runLost(maxDeliveries)))
    this.#goOn(await store.rescueNodes(dead, { maxDeliveries, value }), 'whose process died')
  }

  override stopped(): void {
    this.#next?.timer.cancel()
    this.#expiry?.cancel()
  }

  #goOn(runs: number, which: string): void {
    if (runs === 0) return
    this.#deps.log.info({ runs }, `goes on with ${runs} ${runs === 1 ? 'run' : 'runs'} ${which}`)
    this.#options.hint()
  }

  /** Looks only after the store failed to write, when memory and store may disagree: it is a scan. */
  async #releaseUnheld(): Promise<number> {
    if (!this.#isDoubtful) return 0
    const released = await this.#deps.store.releaseUnheld(this.#options.node.nodeId, this.#options.isHeld)
    this.#isDoubtful = false
    return released
  }

  #verdict(node: NodeRow): { nodeId: number; isExpired: boolean; isProved: boolean } {
    return { nodeId: node.nodeId, isExpired: node.isExpired, isProved: this.#options.isProvedDead(node) }
  }

  async #renew(): Promise<void> {
    const askedAt = this.#deps.clock.monotonic()
    const isAlive = await this.#deps.store.renewNode(this.#options.node.nodeId, this.#options.leaseMs)
    // Declared dead: what ran here is another's now. The next commit starts this node anew.
    if (!isAlive) this.#options.leaseInDoubt()
    this.#trustFrom(askedAt)
  }

  /** Invariant: I9. Others may take over when the lease ends; this node stops a fifth of it earlier, also while a renewal is under way. */
  #trustFrom(renewedAt: number): void {
    const { leaseMs, leaseInDoubt } = this.#options
    const { clock } = this.#deps
    const giveUp = (): void => {
      this.#isDoubtful = true
      leaseInDoubt()
    }
    this.#expiry?.cancel()
    this.#expiry = clock.after(renewedAt + leaseMs * 0.8 - clock.monotonic(), giveUp, { background: true })
  }

  #poll(): void {
    const change = this.#deps.store.changeCount()
    if (change === this.#seenChange) return
    this.#seenChange = change
    this.#mayHaveNew = true
    this.#options.hint()
  }

  async #meet(): Promise<void> {
    this.#metAtMs = this.#deps.clock.monotonic()
    this.#mayHaveNew = false
    const nodes = await this.#deps.store.listNodes()
    this.#others = nodes.filter(({ nodeId }) => nodeId !== this.#options.node.nodeId)
  }

  /** Whether a process of this machine is gone needs no store to be seen, so it is seen at once; what it ran goes on here. */
  async #lookAtNeighbours(): Promise<void> {
    const nowMs = this.#deps.clock.monotonic()
    if (nowMs < this.#looksAgainAtMs) return
    // Should the store be away, that is not told ten times a second.
    this.#looksAgainAtMs = nowMs + backstopMs
    await this.#guarded('looking for dead processes', async () => {
      if (this.#mayHaveNew && nowMs - this.#metAtMs >= meetMs) await this.#meet()
      if (this.#others.some((node) => this.#options.isProvedDead(node))) await this.rescue()
      this.#looksAgainAtMs = nowMs
    })
  }

  #ring(): void {
    this.#next = undefined
    this.ctx.self.tell('wake')
  }

  /** The store may be away for a while: that is told, and tried again at the next turn. */
  async #guarded(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#deps.log.error({ err: error }, `${what} failed`)
    }
  }
}
