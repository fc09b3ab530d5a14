// How far the clock of this machine is from the time that all nodes go by: kept for people, and told in the log once.
import { formatMs } from '../../lib/duration.ts'
import type { Store } from '../../store/store.ts'
import type { Deps } from '../deps.ts'

// From then on people are told: what programs read from the clock of this machine is not what the store says.
const muchMs = 1_000
// What is kept is written anew when it is as far from the truth.
const leastMs = 100

/** What is to be told of the clock of this machine; undefined where it is right. */
export function skewOf(store: Pick<Store, 'clockAheadMs'>): string | undefined {
  const aheadMs = Math.round(store.clockAheadMs())
  if (Math.abs(aheadMs) <= muchMs) return undefined
  const side = aheadMs > 0 ? 'ahead of' : 'behind'
  return `The clock of this machine is ${formatMs(Math.abs(aheadMs))} ${side} the server of the store, whose time counts: set it by a time server (NTP).`
}

export class ClockSkew {
  readonly #deps: Pick<Deps, 'store' | 'log'>
  readonly #node: { readonly nodeId: number }
  #kept = { nodeId: 0, aheadMs: 0 }
  #isTold = false

  constructor(deps: Pick<Deps, 'store' | 'log'>, node: { readonly nodeId: number }) {
    this.#deps = deps
    this.#node = node
  }

  /** Keeps it with the node where it is another than before. */
  async look(): Promise<void> {
    const { store } = this.#deps
    const { nodeId } = this.#node
    const aheadMs = Math.round(store.clockAheadMs())
    this.#tell(aheadMs)
    // A node that started anew has told nothing yet.
    const keptMs = this.#kept.nodeId === nodeId ? this.#kept.aheadMs : 0
    if (Math.abs(aheadMs - keptMs) < leastMs) return
    await store.updateNodeClock(nodeId, aheadMs)
    this.#kept = { nodeId, aheadMs }
  }

  #tell(aheadMs: number): void {
    const { store, log } = this.#deps
    const skew = skewOf(store)
    if (skew === undefined || this.#isTold) return
    this.#isTold = true
    log.warn({ node: this.#node.nodeId, aheadMs }, skew)
  }
}
