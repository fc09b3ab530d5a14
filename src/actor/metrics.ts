// What can be seen of the actors of a system from outside: figures for all, and the tree of the living.

import type { Cell } from './cell.ts'
import type { Core } from './core.ts'
import { withDescendants } from './siblings.ts'
import type { Siblings } from './siblings.ts'

export interface ActorMetrics {
  /** Actors alive now. */
  readonly actors: number
  /** Messages whose handler ended normally. */
  readonly processed: number
  /** Messages, turns and hooks that threw. */
  readonly failed: number
  /** Messages in mailboxes now. */
  readonly waiting: number
  /** The most messages that ever waited in one mailbox of an actor that is alive. */
  readonly highWater: number
  readonly deadLetters: number
  /** From the mailbox to the end of the handler, in milliseconds, of the first message and then of one in 256; of all while the system is inspected. */
  readonly latencyMs: {
    readonly count: number
    readonly p50: number
    readonly p90: number
    readonly p99: number
    readonly max: number
  }
}

export type ActorState = 'alive' | 'draining' | 'restarting' | 'ending'

/** One living actor. */
export interface ActorNode {
  readonly id: number
  /** As its ref prints: `Counter(#7)`. */
  readonly actor: string
  readonly name: string | undefined
  readonly state: ActorState
  readonly waiting: number
  /** The most messages that ever waited in its mailbox. */
  readonly highWater: number
  readonly processed: number
  readonly failed: number
  readonly restarts: number
  /** Tasks and piped promises that have not settled. */
  readonly active: number
  readonly children: readonly ActorNode[]
}

export function metricsOf(core: Core): ActorMetrics {
  let { processed, failed } = core
  let waiting = 0
  let highWater = 0
  for (const cell of withDescendants(core.children)) {
    processed += cell.processed
    failed += cell.failed
    waiting += cell.waiting
    highWater = Math.max(highWater, cell.highWater)
  }
  const { latency } = core.observer
  const [p50, p90, p99] = [latency.quantile(0.5), latency.quantile(0.9), latency.quantile(0.99)]
  return {
    actors: core.alive,
    processed,
    failed,
    waiting,
    highWater,
    deadLetters: core.deadLetters.count,
    latencyMs: { count: latency.count, p50, p90, p99, max: latency.max },
  }
}

/** The living actors without a parent, in start order. */
export function treeOf(core: Core): ActorNode[] {
  const nodes = new Map<Cell, ActorNode>()
  const nodesOf = (siblings: Siblings | undefined): ActorNode[] => {
    const found: ActorNode[] = []
    for (let cell = siblings?.last; cell !== undefined; cell = cell.older) found.push(nodes.get(cell) as ActorNode)
    return found.reverse()
  }
  for (const cell of withDescendants(core.children).reverse())
    nodes.set(cell, nodeOf(cell, nodesOf(cell.life.children)))
  return nodesOf(core.children)
}

// By the stages of `life-state.ts`.
const states: readonly ActorState[] = ['alive', 'draining', 'restarting', 'ending', 'ending']

function nodeOf(cell: Cell, children: readonly ActorNode[]): ActorNode {
  const { id, name, waiting, highWater, processed, failed, active, life } = cell
  const state = states[cell.state] ?? 'ending'
  const { restarts } = life
  return { id, actor: cell.toString(), name, state, waiting, highWater, processed, failed, restarts, active, children }
}
