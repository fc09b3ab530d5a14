// A node that is no engine: it claims runs through the store and ends them, so that a claim can be timed alone.
import { systemClock } from '../../src/lib/clock.ts'
import { emptyDraft } from '../../src/store/lists.ts'
import { openStore } from '../../src/store/open.ts'
import type { Batch, Store } from '../../src/store/store.ts'
import { check } from '../measure.ts'
import { noop } from './ours.ts'

/** Longer than any bench takes. */
export const leaseMs = 3_600_000

const nobody = { bootId: null, pidNamespace: null, pid: process.pid, pidStartedAt: null }

export class Claimer {
  readonly queueId: number
  readonly definitionId: number
  readonly #store: Store
  readonly #nodeId: number
  #seq = 0

  private constructor(store: Store, ids: { definitionId: number; queueId: number; nodeId: number }) {
    this.#store = store
    this.queueId = ids.queueId
    this.definitionId = ids.definitionId
    this.#nodeId = ids.nodeId
  }

  static async open(url: string): Promise<Claimer> {
    const store = await openStore(url, { clock: systemClock, synchronous: 'full' })
    const definitionId = await store.internDefinition(noop.name, '1')
    const queueId = await store.internQueue('default')
    const nodeId = await store.insertNode({ name: 'bench', ...nobody }, leaseMs)
    return new Claimer(store, { definitionId, queueId, nodeId })
  }

  queueNamed(name: string): Promise<number> {
    return this.#store.internQueue(name)
  }

  /** Claims so many runs, which are ready, and ends them. Milliseconds of the claim, its commit included. */
  async claim(want: number): Promise<number> {
    const [queueIds, definitionIds] = [[this.queueId], [this.definitionId]]
    const startedAt = performance.now()
    const { claimed } = await this.#commit({
      claims: [{ queueIds, definitionIds, want, begins: want, taken: 0, mostDeliveries: 99 }],
    })
    const tookMs = performance.now() - startedAt
    const runs = claimed[0] ?? []
    check('runs claimed', runs.length, want)
    await this.#commit({
      settles: runs.map(({ held }) => ({
        held,
        outcome: 'succeeded',
        code: null,
        fingerprint: null,
        attempt: 1,
        value: 'j{"ok":true}',
        hadWaits: false,
      })),
    })
    return tookMs
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  #commit(lists: Partial<Batch>) {
    return this.#store.commit({ ...emptyDraft(this.#nodeId, ++this.#seq), ...lists })
  }
}
