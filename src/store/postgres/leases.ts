// How long the lease of a node lasts as far as this process knows: by its own renewals, and by those of its thread.
import type { Clock } from '../../lib/clock.ts'
import type { LeaseKeeper, LeaseOrder } from '../lease.ts'
import { LeaseThread, threadUrl } from '../lease-thread.ts'
import type { PostgresLeaseData } from './lease-thread.ts'
import type { Place } from './place.ts'

export class Leases {
  readonly #clock: Clock
  readonly #untils = new Map<number, number>()
  #threaded: { readonly nodeId: () => number; readonly until: BigInt64Array<SharedArrayBuffer> } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** It was asked for at `askedAtMs` of the clock that measures, and granted. */
  renewed(nodeId: number, untilMs: number): void {
    this.#untils.clear()
    this.#untils.set(nodeId, untilMs)
  }

  forget(nodeId: number): void {
    this.#untils.delete(nodeId)
    this.#threaded = undefined
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
    const own = (this.#untils.get(nodeId) ?? 0) - this.#clock.monotonic()
    const { until, nodeId: threadNode } = this.#threaded ?? {}
    const isOfThread = until !== undefined && threadNode?.() === nodeId
    const threaded = isOfThread ? Number(Atomics.load(until, 0) - process.hrtime.bigint()) / 1_000_000 : 0
    return Math.max(0, own, threaded)
  }
}
