// What can be seen of the actors of a system from outside: figures for all, and the tree of the living.

import type { Cell } from './cell.ts'
import type { Core, Siblings } from './core.ts'

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
  const open: (Cell | undefined)[] = [core.children.last]
  while (open.length > 0) {
    const cell = open.pop()
    if (cell === undefined) continue
    processed += cell.processed
    failed += cell.failed
    waiting += cell.waiting
    highWater = Math.max(highWater, cell.highWater)
    open.push(cell.older, cell.life.children?.last)
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

/** The nodes of actors in start order. */
export function nodesOf(siblings: Siblings | undefined): ActorNode[] {
  const nodes: ActorNode[] = []
  for (let cell = siblings?.last; cell !== undefined; cell = cell.older) nodes.push(nodeOf(cell))
  return nodes.reverse()
}

// By the stages of `life-state.ts`.
const states: readonly ActorState[] = ['alive', 'draining', 'restarting', 'ending', 'ending']

function nodeOf(cell: Cell): ActorNode {
  const { id, name, waiting, highWater, processed, failed, active, life } = cell
  return {
    id,
    actor: cell.toString(),
    name,
    state: states[cell.state] ?? 'ending',
    waiting,
    highWater,
    processed,
    failed,
    restarts: life.restarts,
    active,
    children: nodesOf(life.children),
  }
}
