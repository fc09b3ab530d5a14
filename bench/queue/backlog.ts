// How long a claim takes while very many runs wait that it does not bring, beside a store that holds nothing else.
import { join } from 'node:path'
import { systemClock } from '../../src/lib/clock.ts'
import { openStore } from '../../src/store/open.ts'
import { emptyDraft } from '../../src/store/lists.ts'
import type { Batch, Store } from '../../src/store/store.ts'
import { median } from '../report.ts'
import { RawQueue } from './raw.ts'
import { check, withFolder } from '../measure.ts'

/** How many runs a claim brings. */
const atOnce = 100
const nobody = { bootId: null, pidNamespace: null, pid: process.pid, pidStartedAt: null }
const leaseMs = 3_600_000

export interface Claims {
  /** Milliseconds of a claim of a hundred runs, its commit included. */
  readonly emptyMs: number
  readonly fullMs: number
}

/** Half of the backlog is scheduled, half is ready in another queue. */
export const claimsBeside = (backlog: number, rounds: number): Promise<Claims> =>
  withFolder(async (folder) => {
    const [empty, full] = await Promise.all([
      Side.open(join(folder, 'empty.db'), 0),
      Side.open(join(folder, 'full.db'), backlog),
    ])
    const [emptyMs, fullMs]: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      emptyMs.push(await empty.claim())
      fullMs.push(await full.claim())
    }
    await empty.close()
    await full.close()
    return { emptyMs: median(emptyMs), fullMs: median(fullMs) }
  })

class Side {
  readonly #store: Store
  readonly #nodeId: number
  readonly #raw: RawQueue
  #seq = 0

  private constructor(store: Store, nodeId: number, raw: RawQueue) {
    this.#store = store
    this.#nodeId = nodeId
    this.#raw = raw
  }

  static async open(file: string, backlog: number): Promise<Side> {
    const store = await openStore(`sqlite:${file}`, { clock: systemClock, synchronous: 'full' })
    check('number of the definition', await store.internDefinition('noop', ''), 1)
    check('number of the queue', await store.internQueue('default'), 1)
    const other = await store.internQueue('other')
    const nodeId = await store.insertNode({ name: 'bench', ...nobody }, leaseMs)
    const raw = await RawQueue.open(file, false)
    if (backlog > 0) {
      raw.fill({ queueId: 1, count: backlog / 2, dueAt: systemClock.now() + leaseMs })
      raw.fill({ queueId: other, count: backlog / 2 })
    }
    return new Side(store, nodeId, raw)
  }

  /** Milliseconds of one claim; the runs are put in before and ended after. */
  async claim(): Promise<number> {
    this.#raw.startMany(Array.from({ length: atOnce }, (_, i) => ({ i, kind: 'noop' })))
    const startedAt = performance.now()
    const { claimed } = await this.#commit({
      claims: [{ queueIds: [1], definitionIds: [1], want: atOnce, begins: atOnce, taken: 0, mostDeliveries: 99 }],
    })
    const tookMs = performance.now() - startedAt
    const runs = claimed[0] ?? []
    check('runs claimed', runs.length, atOnce)
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

  async close(): Promise<void> {
    this.#raw.close()
    await this.#store.close()
  }

  #commit(lists: Partial<Batch>) {
    return this.#store.commit({ ...emptyDraft(this.#nodeId, ++this.#seq), ...lists })
  }
}
