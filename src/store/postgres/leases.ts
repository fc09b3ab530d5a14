// How long the lease of a node lasts as far as this process knows: by its own renewals, and by those of its thread.
import type { Clock } from '../../lib/clock.ts'
import type { LeaseKeeper, LeaseOrder } from '../lease.ts'
import { LeaseThread, threadUrl } from '../lease-thread.ts'
import type { PostgresLeaseData } from './lease-thread.ts'
import type { Place } from './place.ts'

interface Lease {
  readonly nodeId: number
  /** By the clock that measures. */
  readonly untilMs: number
}

export class Leases {
  readonly #clock: Clock
  #own: Lease | undefined
  #threaded: { readonly nodeId: () => number; readonly until: BigInt64Array<SharedArrayBuffer> } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  renewed(lease: Lease): void {
    this.#own = lease
  }

  /** The thread goes on under the number that the node has next. */
  forget(nodeId: number): void {
    if (this.#own?.nodeId === nodeId) this.#own = undefined
    if (this.#threaded?.nodeId() === nodeId) Atomics.store(this.#threaded.until, 0, 0n)
  }

  keep(place: Place, order: LeaseOrder): LeaseKeeper {
    const until = new BigInt64Array(new SharedArrayBuffer(8))
    const data: PostgresLeaseData = { place, until }
    let nodeId = order.nodeId
    const lost = (lostId: number): void => {
      this.forget(lostId)
      order.lost(lostId)
    }
    const thread = new LeaseThread({ ...order, lost, url: threadUrl('lease-thread', import.meta.url), data })
    this.#threaded = { nodeId: () => nodeId, until }
    return {
      beat: (id) => thread.beat((nodeId = id)),
      stop: () => thread.stop(),
    }
  }

  leftMs(nodeId: number): number {
    const own = this.#own?.nodeId === nodeId ? this.#own.untilMs - this.#clock.monotonic() : 0
    const { until, nodeId: threadNode } = this.#threaded ?? {}
    const isOfThread = until !== undefined && threadNode?.() === nodeId
    const threaded = isOfThread ? Number(Atomics.load(until, 0) - process.hrtime.bigint()) / 1_000_000 : 0
    return Math.max(0, own, threaded)
  }
}
