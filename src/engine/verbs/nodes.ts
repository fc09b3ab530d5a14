// The nodes of a store, for people: which there are, and stopping one from elsewhere.
import { nameUnknown, optionInvalid } from '../../model/errors.ts'
import type { NodeView } from '../../store/views.ts'
import { auditRecord, type ByOption } from './audit.ts'
import type { Face } from './face.ts'

export type NodeInfo = NodeView

export interface NodeVerbs {
  /** The processes that serve queues, as the store knows them. */
  nodes(): Promise<NodeInfo[]>
  /**
   * Asks a node, by its name or number, to stop: it claims nothing from now on, what it performs ends or parks within its `stopWithin`, the rest is given back uncounted.
   * It hears of it within a second, or five when no hint comes through; its program does by `drained`. False when it was asked before.
   *
   * Saves: the time, and who did it. Throws: `option_invalid` for a node that is not there, and for a name that several have.
   *
   * ```ts
   * import { Troupe, worker } from 'troupe'
   * const double = worker('double', {}, (ctx, n: number) => n * 2)
   * const troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [double], node: 'rack-7' })
   * await troupe.start()
   * console.log(await troupe.drain('rack-7', { by: 'ann' })) // true
   * await troupe.drained
   * ```
   */
  drain(node: string | number, options?: ByOption): Promise<boolean>
  /** Resolves once somebody has drained this node and it has stopped. */
  readonly drained: Promise<void>
}

const remedy = 'A node is there from when its process starts to serve until it stops: see troupe.nodes().'

export class Nodes implements NodeVerbs {
  readonly drained: Promise<void>
  readonly #face: Face

  /** `stop` ends the engine of this process. */
  constructor(face: Face, stop: () => Promise<void>) {
    this.#face = face
    this.drained = face.engine.membership.drainAsked.then(stop)
  }

  async nodes(): Promise<NodeInfo[]> {
    this.#face.checkOpen()
    return this.#face.deps.store.listNodeViews()
  }

  async drain(node: string | number, options: ByOption = {}): Promise<boolean> {
    const number = await this.#numberOf(node)
    const audit = auditRecord('drain', options, { action: 'drain node', target: String(node), details: { number } })
    const { deps, engine } = this.#face
    const isAsked = await deps.store.drainNode(number, audit)
    // What this process writes brings no hint to itself.
    if (number === engine.view.nodeId) engine.membership.drain()
    return isAsked
  }

  async #numberOf(node: string | number): Promise<number> {
    const live = (await this.nodes()).filter(({ state }) => state !== 'expired')
    const [meant, ...others] = live.filter(({ name, number }) => node === name || node === number)
    const known = live.map(({ name }) => name)
    if (meant === undefined) throw nameUnknown('node', String(node), { known, remedy })
    if (others.length === 0) return meant.number
    const numbers = [meant, ...others].map(({ number }) => number).join(', ')
    throw optionInvalid('node', node, `one of the numbers of those that have this name: ${numbers}`)
  }
}
