// What the database says of itself, for health: asked now and then, and never waited for long.
import type { Clock } from '../../lib/clock.ts'
import { formatMs } from '../../lib/duration.ts'
import type { Histogram } from '../../lib/histogram.ts'
import { counted } from '../../lib/text.ts'
import type { Finding } from '../../store/health.ts'
import type { Store } from '../../store/store.ts'
import { isDoneWithin } from '../in-time.ts'

// Who asks often asks what was heard last.
const keptMs = 10_000
const patienceMs = 1_000
// What a commit takes where nothing is wrong is a few milliseconds.
const slowMs = 250
const fewest = 100

export class DatabaseFindings {
  readonly #clock: Clock
  readonly #store: Pick<Store, 'listFindings'>
  #heard: readonly Finding[] = []
  #heardAtMs = -Infinity
  #look: Promise<void> | undefined

  constructor(clock: Clock, store: Pick<Store, 'listFindings'>) {
    this.#clock = clock
    this.#store = store
  }

  /** What was found at most ten seconds ago; nothing where the store does not answer, and before it has. Never rejects. */
  async list(): Promise<readonly Finding[]> {
    if (this.#clock.monotonic() - this.#heardAtMs < keptMs) return this.#heard
    this.#look ??= this.#lookAnew().finally(() => (this.#look = undefined))
    const isHeard = await isDoneWithin(this.#clock, patienceMs, this.#look)
    return isHeard ? this.#heard : []
  }

  async #lookAnew(): Promise<void> {
    try {
      this.#heard = await this.#store.listFindings()
      this.#heardAtMs = this.#clock.monotonic()
    } catch {
      // That it does not answer is told by whoever asks whether it does.
      this.#heard = []
    }
  }
}

/** How long the batches of this process took, what they claimed included; undefined while there were too few to tell. */
export function findingOfCommits(commitMs: Histogram): Finding | undefined {
  const { count } = commitMs
  if (count < fewest) return undefined
  const [p50, p99] = [commitMs.quantile(0.5), commitMs.quantile(0.99)]
  const text = `Half of ${counted(count, 'commit')} of this process took up to ${formatMs(p50)}, 99 % of them up to ${formatMs(p99)}.`
  const details = { count, p50, p99 }
  if (p99 < slowMs) return { code: 'commits', severity: 'ok', text, details }
  const remedy = 'See what else is found, and how fast the disk of the store is and how far its server.'
  return { code: 'commits', severity: 'warning', text, remedy, details }
}
