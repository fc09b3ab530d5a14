// This process among the nodes of its store: becomes one, says what it serves, and starts anew when others took it for dead.
import { deferred } from '../../lib/deferred.ts'
import type { Duration } from '../../lib/duration.ts'
import type { NodeState } from '../committer.ts'
import type { Deps } from '../deps.ts'
import type { EngineSettings } from '../options/engine-settings.ts'
import type { Registry } from '../definition/registry.ts'

export class Membership {
  /** Shared with whoever writes in the node's name. */
  readonly node: NodeState = { nodeId: 0, seq: 0 }
  readonly #deps: Deps
  readonly #settings: EngineSettings
  readonly #registry: Registry
  readonly #drainAsked = deferred<void>()
  #isServing = false
  #isDraining = false

  constructor(deps: Deps, settings: EngineSettings, registry: Registry) {
    this.#deps = deps
    this.#settings = settings
    this.#registry = registry
  }

  get isNode(): boolean {
    return this.node.nodeId !== 0
  }

  get isServing(): boolean {
    return this.#isServing
  }

  /** Whether others may take over what this node runs. */
  get isLeaseOver(): boolean {
    return this.#deps.store.leaseLeftMs(this.node.nodeId) <= 0
  }

  /** How long it lets what runs finish when it stops, unless it is told. */
  get stopWithin(): Duration {
    return this.#settings.stopWithin
  }

  /** Resolves when somebody asks this node to take no more work and to stop. */
  get drainAsked(): Promise<void> {
    return this.#drainAsked.promise
  }

  /** Somebody asks that. */
  drain(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    this.#deps.log.info({ node: this.node.nodeId }, 'this node is drained: it takes no more work, and stops')
    this.#drainAsked.resolve()
  }

  async register(): Promise<void> {
    const { identity, leaseMs } = this.#settings
    this.node.nodeId = await this.#deps.store.insertNode(identity, leaseMs)
    this.node.seq = 0
    if (this.#isServing) await this.#declare()
  }

  /** What it still holds is ready again. */
  async leave(): Promise<void> {
    if (this.isNode) await this.#deps.store.deleteNode(this.node.nodeId)
  }

  /** What this process is a node for from now on is to serve its queues; `join` makes it one. */
  async serve(join: () => Promise<void>): Promise<void> {
    const wasNode = this.isNode
    this.#isServing = true
    await join()
    if (wasNode) await this.#declare()
  }

  /** Another node has taken this one for dead: it is another one once it has registered again. */
  tellOfDeath(): void {
    this.#deps.log.warn({ node: this.node.nodeId }, 'this node was declared dead by another and starts anew')
  }

  definitionAdded(): void {
    if (!this.#isServing || !this.isNode || this.#settings.isOwnOnly) return
    this.#tellServing().catch((error: unknown) => {
      this.#deps.log.warn(
        { err: error },
        'the store does not know of a definition of this node: it may say that no node knows it',
      )
    })
  }

  /** A node that performs what it started itself offers nothing to others, and fires no schedules. */
  async #declare(): Promise<void> {
    if (this.#settings.isOwnOnly) return
    await this.#tellServing()
    await this.#settings.schedules.declareOn(this.node.nodeId)
  }

  async #tellServing(): Promise<void> {
    const queueIds = [...this.#settings.queues.values()]
    await this.#deps.store.updateServing(this.node.nodeId, { queueIds, definitionIds: this.#registry.ids() })
  }
}
