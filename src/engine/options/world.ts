// The world of an engine, which a test or a simulator may own.
import type { NodeIdentity } from '../../store/nodes.ts'
import type { Deps } from '../deps.ts'
import type { EngineSettings } from './engine-settings.ts'

/** Parts of the world that a test or a simulator may bring along; a store that it brings has the codecs already. */
export interface World extends Partial<Deps> {
  readonly leaseMs?: number
  /** Whether the process of another node is certainly gone. */
  readonly isProvedDead?: (other: NodeIdentity) => boolean
  /** Called once with what the engine shows to whoever owns its world. */
  readonly opened?: (inside: Inside) => void
  readonly maxDeliveries?: number
  /** False shows what happens to what nobody mends. */
  readonly repairs?: boolean
}

type UpkeepRules = Pick<EngineSettings, 'leaseMs' | 'maxDeliveries' | 'repairs'>

/** What whoever owns the world of an engine sees of it. */
export interface Inside {
  /** Somebody waits for something that has yet to come: news of a run, the end of one that is not stored, or that the engine has stopped. */
  isAwaited(): boolean
  /** The runs of which somebody waits for news. */
  awaited(): readonly string[]
  /** Tells whoever waits for news of a run why none will come. */
  tell(runId: string, error: Error): void
}

const defaultLeaseMs = 15_000
// The fourth time a process dies over the same step, the run waits for a person.
const defaultDeliveries = 4

/** How nodes are kept up, and what is mended. */
export function upkeepRules({ leaseMs, maxDeliveries, repairs }: World): UpkeepRules {
  return {
    leaseMs: leaseMs ?? defaultLeaseMs,
    maxDeliveries: maxDeliveries ?? defaultDeliveries,
    repairs: repairs ?? true,
  }
}
