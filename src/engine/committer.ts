// The committer: gathers what all runs of the node want written and writes it as one transaction.
import { Actor } from '../actor/actor.ts'
import { isTroupeError, toError } from '../lib/errors.ts'
import { engineStopped } from '../model/errors.ts'
import { emptyDraft, type Draft } from '../store/lists.ts'
import type { AskedOfNode } from '../store/cancels.ts'
import type { Committed } from '../store/store.ts'
import type { CommitTrouble } from './commit-trouble.ts'
import type { Counts } from './counts.ts'
import type { Deps } from './deps.ts'
import { HeldWrite, type Write } from './writes.ts'

// Measured: past this a batch gains nothing on bench/workflow, and it bounds how long one commit holds the loop.
const mostWrites = 1_000

/** This node in the store, while it is one. */
export interface NodeState {
  /** 0 for a client, which holds no runs. */
  nodeId: number
  /** The number of the last batch. */
  seq: number
}

export interface CommitterOptions {
  readonly node: NodeState
  readonly counts: Counts
  readonly trouble: CommitTrouble
  /** Gives up what runs here and makes this process a node again; false when it is stopping and will be none. */
  readonly declaredDead: () => Promise<boolean>
  /** These runs were told something; some may be here. */
  readonly told: (ids: readonly string[]) => void
  /** Runs have become ready because what they wait for is there. */
  readonly woken: () => void
  /** A limiter lets somebody pass then. */
  readonly opensAt: (at: number) => void
  /** Children of runs that have ended are yet to end. */
  readonly moreToEnd: () => void
  readonly cancelRequested: (requests: AskedOfNode['cancelRequests']) => void
  /** People took runs away from this node; told before what became of their writes. */
  readonly takenAway: (taken: AskedOfNode['taken']) => void
  /** A newer version has changed the schema of the store: nothing is written from here any more. */
  readonly outdated: (error: Error) => void
}

export class Committer extends Actor {
  readonly #deps: Deps
  readonly #options: CommitterOptions
  #gathered: Write[] = []
  #isFlushDue = false

  constructor(deps: Deps, options: CommitterOptions) {
    super()
    this.#deps = deps
    this.#options = options
  }

  /** Takes one thing to write into the next batch. */
  write(write: Write): void {
    this.#gathered.push(write)
    this.#flushSoon()
  }

  /** What is left when it was killed, because the store did not take it in time, is not written any more. */
  override stopped(): void {
    for (const write of this.#gathered.splice(0)) write.failed(engineStopped())
  }

  // No timer delays a commit: what arrives in one turn of the event loop is one batch,
  // and while a batch is being written its successor gathers in the mailbox.
  #flushSoon(): void {
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    const turn = new Promise<void>((resolve) => this.#deps.clock.soon(resolve))
    this.ctx.pipe(turn, () => this.#flush())
  }

  async #flush(): Promise<void> {
    this.#isFlushDue = false
    const writes = this.#gathered.splice(0, countWithin(this.#gathered, mostWrites))
    if (this.#gathered.length > 0) this.#flushSoon()
    await this.#commit(writes)
  }

  /** gather → commit → tell */
  async #commit(writes: readonly Write[]): Promise<void> {
    const { nodeId, seq } = this.#options.node
    const draft = emptyDraft(nodeId, seq)
    for (const write of writes) write.addTo(draft)
    this.#deps.failpoint('commit:before')
    const { counts, trouble } = this.#options
    const begunAtMs = this.#deps.clock.monotonic()
    trouble.begun(begunAtMs)
    let committed: Committed
    try {
      committed = await this.#commitDraft(draft)
    } catch (error) {
      counts.failedCommits += 1
      trouble.failed()
      return this.#failed(writes, toError(error))
    }
    trouble.succeeded()
    counts.commitMs.add(this.#deps.clock.monotonic() - begunAtMs)
    counts.batchWrites.add(writes.length)
    counts.woken += committed.woken
    this.#deps.failpoint('commit:after')
    if (committed.taken.length > 0) this.#options.takenAway(committed.taken)
    for (const write of writes) {
      // What the runs of this node wanted is refused; what came from outside was never looked at.
      if (committed.isNodeLost && !(write instanceof HeldWrite)) write.failed(engineStopped())
      else write.committed(committed)
    }
    if (committed.told.length > 0) this.#options.told(committed.told)
    if (committed.woken > 0) this.#options.woken()
    if (committed.isMoreToEnd) this.#options.moreToEnd()
    if (committed.opensAt !== null) this.#options.opensAt(committed.opensAt)
    if (committed.cancelRequests.length > 0) this.#options.cancelRequested(committed.cancelRequests)
  }

  async #commitDraft(draft: Draft): Promise<Committed> {
    const { node } = this.#options
    for (;;) {
      draft.seq = ++node.seq
      const committed = await this.#deps.store.commit(draft)
      if (!committed.isNodeLost || !(await this.#options.declaredDead())) return committed
      // Under its new number the node holds nothing of what it held: those writes are refused, starts go through.
      draft.nodeId = node.nodeId
    }
  }

  /** The store itself failed: all learn it. One write was at fault: halves until it stands alone. */
  async #failed(writes: readonly Write[], error: Error): Promise<void> {
    if (isTroupeError(error) || writes.length === 1) {
      this.#deps.log.error(
        { writes: writes.length, err: error },
        'the store did not take what this node wanted written',
      )
      for (const write of writes) write.failed(error)
      if (isTroupeError(error, 'store_newer')) this.#options.outdated(error)
      return
    }
    const middle = writes.length >> 1
    await this.#commit(writes.slice(0, middle))
    await this.#commit(writes.slice(middle))
  }
}

/** How many of these writes make a batch of that size; one at least. */
function countWithin(writes: readonly Write[], most: number): number {
  let count = 0
  for (let size = 0; size < most && count < writes.length; count++) size += writes[count]?.size ?? 1
  return count
}
